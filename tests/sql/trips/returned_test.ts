import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { refusalOf, standingOf } from "../wallet/wallets.ts";
import { cancel, driven, eventsOf, get, move, openDriver, openRider, type Person, request, tend } from "./trips.ts";

const database = await createTestDatabase();

Deno.test(
  "a driver who cancels on the way gives the trip back: it is offered to the others, and another drives it",
  rolledBack(database, async (sql) => {
    const { rider, first, second, trip } = await taken(sql);

    const returned = await cancel(sql, trip, "vehicle_problem", first.id);
    await tend(sql);
    const offers = [await offersTo(sql, first), await offersTo(sql, second)];
    const accepted = await move(sql, "accept", trip, second.id);

    assertEquals([returned.status, returned.rider!.phone, returned.pickup.label], ["requested", null, null]);
    assertEquals(offers, [[], [trip]]);
    assertEquals(accepted.status, "accepted");
    assertEquals((await get(sql, trip, rider.id)).driver!.id, second.id);
    assertEquals((await standingOf(sql, rider.account))[1], accepted.fare_amount);
    assertEquals(await eventsOf(sql, trip), [
      "trip.requested",
      "trip.offered",
      "trip.accepted",
      "trip.returned",
      "trip.offered",
      "trip.accepted",
    ]);
  }),
);

Deno.test(
  "who gave a trip back may say so again, learns nothing of it any more, and is free for others",
  rolledBack(database, async (sql) => {
    const { first, second, trip } = await taken(sql);
    await cancel(sql, trip, "other", first.id);
    await tend(sql);
    await move(sql, "accept", trip, second.id);

    const again = await cancel(sql, trip, "other", first.id);
    const refused = [
      await refusalOf(sql, (sql) => move(sql, "accept", trip, first.id)),
      await refusalOf(sql, (sql) => move(sql, "arrive", trip, first.id)),
      await refusalOf(sql, (sql) => get(sql, trip, first.id)),
    ];
    const other = await request(sql, (await openRider(sql)).id);
    await move(sql, "accept", other.id, first.id);

    assertEquals([again.status, again.rider!.phone, again.pickup.label], ["requested", null, null]);
    assertEquals(refused, ["trip_taken", "trip_not_found", "trip_not_found"]);
    assertEquals([(await get(sql, trip)).status, (await get(sql, trip)).driver!.id], ["accepted", second.id]);
  }),
);

Deno.test(
  "a trip that was given back and that nobody takes expires, and gives the money back",
  rolledBack(database, async (sql) => {
    const { rider, first, trip } = await taken(sql);
    await sql`update public.trips set expires_at = now() - interval '1 minute' where id = ${trip}`;
    await cancel(sql, trip, "other", first.id);
    const open = await sql`select expires_at > now() as is_open from public.trips where id = ${trip}`;
    await sql`update public.trips set expires_at = now() where id = ${trip}`;

    await tend(sql);

    assertEquals(open[0]!.is_open, true);
    assertEquals((await get(sql, trip)).status, "expired");
    assertEquals(await standingOf(sql, rider.account), [100_000, 0, 100_000]);
  }),
);

Deno.test(
  "the time in which cancelling is free begins anew with the next driver",
  rolledBack(database, async (sql) => {
    const { rider, first, second, trip } = await taken(sql);
    await sql`update public.trips set accepted_at = now() - interval '1 hour' where id = ${trip}`;
    await cancel(sql, trip, "other", first.id);
    await tend(sql);
    await move(sql, "accept", trip, second.id);

    const cancelled = await cancel(sql, trip, "changed_mind", rider.id);

    assertEquals([cancelled.status, cancelled.amount_due], ["cancelled", 0]);
  }),
);

Deno.test(
  "a driver who cancels because of the rider, or under way, ends the trip",
  rolledBack(database, async (sql) => {
    const ends = [["arrive", "rider_no_show"], ["accept", "unsafe"], ["start", "vehicle_problem"]] as const;

    const statuses = [];
    for (const [until, reason] of ends) {
      const driver = await openDriver(sql);
      const trip = await driven(sql, await openRider(sql), driver, until);
      statuses.push((await cancel(sql, trip.id, reason, driver.id)).status);
    }

    assertEquals(statuses, ["cancelled", "cancelled", "cancelled"]);
  }),
);

Deno.test(
  "a rider may have three open trips and twenty for later, each with its own fare held, and one more is refused",
  rolledBack(database, async (sql) => {
    const rider = await openRider(sql);
    const at = new Date(Date.now() + 3_600_000);

    const open = [];
    for (let count = 0; count < 4; count++) open.push(await request(sql, rider.id));
    const later = [];
    for (let count = 0; count < 21; count++) later.push(await request(sql, rider.id, { at }));
    await cancel(sql, open[0]!.id, "changed_mind", rider.id);
    const afterwards = await request(sql, rider.id);

    assertEquals(open.map(({ status, code }) => code ?? status), [...Array(3).fill("requested"), "too_many_trips"]);
    assertEquals(later.map(({ status, code }) => code ?? status), [...Array(20).fill("scheduled"), "too_many_trips"]);
    assertEquals(afterwards.status, "requested");
    assertEquals((await standingOf(sql, rider.account))[1], 3 * open[0]!.fare_amount);
  }),
);

async function offersTo(sql: TransactionSql, driver: Person): Promise<string[]> {
  const rows = await sql`select public.list_trip_offers(${driver.id}) ->> 'trip_id' as id`;
  return rows.map(({ id }) => id);
}

/** A trip that was offered to two drivers, of whom the first was faster. */
async function taken(sql: TransactionSql) {
  const [rider, first, second] = [await openRider(sql), await openDriver(sql), await openDriver(sql)];
  const { id: trip } = await request(sql, rider.id);
  await move(sql, "accept", trip, first.id);
  return { rider, first, second, trip };
}
