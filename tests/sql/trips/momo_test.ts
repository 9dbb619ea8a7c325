import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { signal } from "../payments/payments.ts";
import { balanceOf, driftOf, platformAccount } from "../wallet/wallets.ts";
import { driven, eventsOf, get, openDriver, openRider, pass, tend, type Trip } from "./trips.ts";

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
    const returned =
      await sql`select is_returned from public.trip_payments where settled_at is not null order by transaction_id`;
    const isLateAccepted = returned.length === 2;
    assertEquals(await balanceOf(sql, rider.account), isLateAccepted ? trip.fare_amount : 0);
    assertEquals(await balanceOf(sql, await platformAccount(sql, "trips")), 0);
  }),
);

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
