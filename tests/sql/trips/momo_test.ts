import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { signal } from "../payments/payments.ts";
import { balanceOf, driftOf, platformAccount } from "../wallet/wallets.ts";
import { cancel, driven, eventsOf, get, openDriver, openRider, pass, request, tend, type Trip } from "./trips.ts";

const database = await createTestDatabase();

Deno.test(
  "a fare by MoMo is asked for once, and its success pays driver and platform once",
  rolledBack(database, async (sql) => {
    const { trip, driver } = await ended(sql);
    await tend(sql);
    await tend(sql);
    const { transaction_id } = await get(sql, trip.id);

    await signal(sql, transaction_id!);
    for (let times = 0; times < 3; times++) await follow(sql, trip.id);

    assertEquals((await get(sql, trip.id)).payment_status, "paid");
    assertEquals((await sql`select from public.trip_payments`).length, 1);
    assertEquals(await balanceOf(sql, driver.account), trip.fare_amount - Math.round(trip.fare_amount / 10));
    assertEquals(await balanceOf(sql, await platformAccount(sql, "trips")), 0);
    assertEquals((await eventsOf(sql, trip.id)).filter((type) => type === "trip.paid").length, 1);
    assertEquals(await driftOf(sql), []);
  }),
);

Deno.test(
  "the event of a payment's success makes its trip due at once",
  rolledBack(database, async (sql) => {
    const { trip } = await ended(sql);
    await tend(sql);
    await signal(sql, (await get(sql, trip.id)).transaction_id!);

    await sql`
      select private.follow_trip_payments(array(select event from public.event_store as event where event_type = 'payment.succeeded'))`;
    await tend(sql);

    assertEquals((await get(sql, trip.id)).payment_status, "paid");
  }),
);

Deno.test(
  "a fare that MoMo refused can be paid again; a success that comes late all the same goes to the rider's wallet",
  rolledBack(database, async (sql) => {
    const { trip, rider, driver } = await ended(sql);
    await tend(sql);
    const first = (await get(sql, trip.id)).transaction_id!;
    await signal(sql, first, { status: "failed", failure_code: "payer_declined" });
    await follow(sql, trip.id);
    const refused = await get(sql, trip.id);

    await sql`select public.pay_trip(${trip.id}, null, ${rider.id})`;
    await tend(sql);
    await signal(sql, (await get(sql, trip.id)).transaction_id!);
    await follow(sql, trip.id);
    await signal(sql, first);
    await follow(sql, trip.id);

    assertEquals(refused.payment_status, "failed");
    assertEquals((await get(sql, trip.id)).payment_status, "paid");
    assertEquals(await balanceOf(sql, driver.account), trip.fare_amount - Math.round(trip.fare_amount / 10));
    const returned = await sql`select is_returned from public.trip_payments order by transaction_id`;
    assertEquals(returned.map(({ is_returned }) => is_returned), [true, false]);
    assertEquals(await balanceOf(sql, rider.account), trip.fare_amount);
    assertEquals(await balanceOf(sql, await platformAccount(sql, "trips")), 0);
  }),
);

Deno.test(
  "a late success for a cancelled trip whose fee the wallet has paid meanwhile goes to the rider's wallet, once",
  rolledBack(database, async (sql) => {
    const { rider, driver, trip } = await cancelledLate(sql);
    const asked = (await get(sql, trip.id)).transaction_id!;
    await signal(sql, asked, { status: "failed", failure_code: "payer_declined" });
    await follow(sql, trip.id);
    await sql`select public.pay_trip(${trip.id}, 'wallet', ${rider.id})`;
    const paid = await balanceOf(sql, rider.account);

    await signal(sql, asked);
    for (let times = 0; times < 3; times++) await follow(sql, trip.id);

    const { status, payment_status, amount_due } = await get(sql, trip.id);
    assertEquals([status, payment_status, amount_due], ["cancelled", "paid", 300]);
    assertEquals([paid, await balanceOf(sql, rider.account)], [4_700, 5_000]);
    assertEquals(await balanceOf(sql, driver.account), 270);
    assertEquals(await balanceOf(sql, await platformAccount(sql, "trips")), 0);
    const types = await eventsOf(sql, trip.id);
    assertEquals(types.filter((type) => type === "trip.payment_returned").length, 1);
    assertEquals(await driftOf(sql), []);
  }),
);

Deno.test(
  "a late success for a cancelled trip whose fee nobody has paid yet pays it",
  rolledBack(database, async (sql) => {
    const { rider, driver, trip } = await cancelledLate(sql);
    const asked = (await get(sql, trip.id)).transaction_id!;
    await signal(sql, asked, { status: "failed", failure_code: "payer_declined" });
    await follow(sql, trip.id);

    await signal(sql, asked);
    await follow(sql, trip.id);

    assertEquals((await get(sql, trip.id)).payment_status, "paid");
    assertEquals([await balanceOf(sql, rider.account), await balanceOf(sql, driver.account)], [5_000, 270]);
  }),
);

Deno.test(
  "a success that comes while the rider tries again pays, and MTN is not asked a second time",
  rolledBack(database, async (sql) => {
    const { trip, rider, driver } = await ended(sql);
    await tend(sql);
    const first = (await get(sql, trip.id)).transaction_id!;
    await signal(sql, first, { status: "failed", failure_code: "payer_declined" });
    await follow(sql, trip.id);

    await sql`select public.pay_trip(${trip.id}, null, ${rider.id})`;
    await signal(sql, first);
    await tend(sql);

    const { payment_status, transaction_id } = await get(sql, trip.id);
    assertEquals([payment_status, transaction_id], ["paid", first]);
    assertEquals((await sql`select from public.trip_payments`).length, 1);
    assertEquals(await balanceOf(sql, driver.account), trip.fare_amount - Math.round(trip.fare_amount / 10));
  }),
);

Deno.test(
  "a trip by MoMo that expires or is cancelled for nothing asks nobody for money",
  rolledBack(database, async (sql) => {
    const rider = await openRider(sql, 0);
    const expired = await request(sql, rider.id, { method: "mtn_momo" });
    await pass(sql, expired.id, "10 minutes");
    await tend(sql);
    const cancelled = await driven(sql, rider, await openDriver(sql), "accept", { method: "mtn_momo" });
    await cancel(sql, cancelled.id, "changed_mind", rider.id);
    await tend(sql);

    const rows =
      await sql`select status, payment_status, amount_due::int, next_action_at from public.trips order by id`;
    assertEquals(rows.map((row) => Object.values(row)), [["expired", "none", 0, null], ["cancelled", "none", 0, null]]);
    assertEquals((await sql`select from public.transactions where type = 'payment'`).length, 0);
  }),
);

Deno.test(
  "a success that cannot be given on waits, is shown, and is given on when it can be",
  rolledBack(database, async (sql) => {
    const { trip, driver } = await ended(sql);
    await tend(sql);
    await sql`select public.set_wallet_status(${driver.account}, 'closed', 'tried')`;
    await signal(sql, (await get(sql, trip.id)).transaction_id!);
    await follow(sql, trip.id);
    const waiting = await sql`select failed_work, error from public.stuck_trips`;

    await sql`select public.set_wallet_status(${driver.account}, 'open', 'tried')`;
    await follow(sql, trip.id);

    assertEquals(waiting.map((row) => ({ ...row })), [{ failed_work: "settle", error: "wallet_account_closed" }]);
    assertEquals((await get(sql, trip.id)).payment_status, "paid");
    assertEquals((await sql`select from public.stuck_trips`).length, 0);
    assertEquals(await balanceOf(sql, await platformAccount(sql, "trips")), 0);
  }),
);

/** A trip that a rider with 5,000 francs left late, whose fee of 300 MTN was asked for. */
async function cancelledLate(sql: TransactionSql) {
  const [rider, driver] = [await openRider(sql, 5_000), await openDriver(sql)];
  const trip = await driven(sql, rider, driver, "accept", { method: "mtn_momo" });
  await pass(sql, trip.id, "3 minutes");
  await cancel(sql, trip.id, "changed_mind", rider.id);
  await tend(sql);
  return { rider, driver, trip };
}

async function ended(sql: TransactionSql) {
  const [rider, driver] = [await openRider(sql, 0), await openDriver(sql)];
  const trip: Trip = await driven(sql, rider, driver, "complete", { method: "mtn_momo" });
  assertEquals([trip.payment_status, trip.amount_due], ["due", trip.fare_amount]);
  return { rider, driver, trip };
}

/** The clock's look at a payment that is under way. */
async function follow(sql: TransactionSql, trip: string): Promise<void> {
  await sql`update public.trips set next_action_at = now() where id = ${trip}`;
  await pass(sql, trip, "2 minutes");
  await tend(sql);
}
