import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack } from "../../support/database.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { refusalOf } from "../wallet/wallets.ts";
import { cancel, move, openDriver, openRider, request } from "./trips.ts";

const database = await createTestDatabase();

Deno.test(
  "people who signed in ride and drive as themselves, and see their own alone",
  rolledBack(database, async (sql) => {
    const [rider, driver, stranger] = await people(sql);

    const trip = await asUser(sql, rider.user, (sql) => request(sql, null));
    await asUser(sql, driver.user, (sql) => move(sql, "accept", trip.id, null));

    const seen = async (user: string) => [
      await asUser(sql, user, async (sql) => (await sql`select from public.trips`).length),
      await asUser(sql, user, async (sql) => (await sql`select from public.trip_offers`).length),
      await asUser(sql, user, async (sql) => (await sql`select public.list_trips()`).length),
    ];
    assertEquals(await seen(rider.user), [1, 0, 1]);
    assertEquals(await seen(driver.user), [0, 1, 1]);
    assertEquals(await seen(stranger.user), [0, 0, 0]);
    const refused = await asUser(
      sql,
      stranger.user,
      (sql) => refusalOf(sql, (sql) => sql`select public.get_trip(${trip.id})`),
    );
    assertEquals(refused, "trip_not_found");
  }),
);

Deno.test(
  "nobody acts for another, nor writes the tables, nor decides about drivers",
  rolledBack(database, async (sql) => {
    const [rider, driver] = await people(sql);
    const trip = await asUser(sql, rider.user, (sql) => request(sql, null));
    const tried = (work: (sql: TransactionSql) => Promise<unknown>) =>
      asUser(sql, rider.user, (sql) => refusalOf(sql, work));

    assertEquals(await tried((sql) => move(sql, "accept", trip.id, driver.id)), "profile_not_found");
    assertEquals(await tried((sql) => request(sql, driver.id)), "profile_not_found");
    assertEquals(
      await tried((sql) => sql`select public.set_driver_state(${driver.id}, 'suspended')`),
      "operator_required",
    );
    assertEquals(
      await tried((sql) => sql`select public.offer_trip(${trip.id}, ${[driver.id]}::uuid[])`),
      "operator_required",
    );
    assertEquals(await tried((sql) => sql`update public.trips set status = 'completed'`), "42501");
    assertEquals(await tried((sql) => sql`select * from private.driver_positions`), "42501");
  }),
);

Deno.test(
  "a registered operator cancels any trip; an operator who is not on the list only reads",
  rolledBack(database, async (sql) => {
    const [rider] = await people(sql);
    const trip = await asUser(sql, rider.user, (sql) => request(sql, null));
    const user = await createUser(sql);
    const claims = { sub: user, app_metadata: { role: "operator" } };

    const reads = await as(sql, "authenticated", claims, async (sql) => (await sql`select public.list_trips()`).length);
    const before = await as(
      sql,
      "authenticated",
      claims,
      (sql) => refusalOf(sql, (sql) => cancel(sql, trip.id, "operator_decision")),
    );
    await sql`insert into private.operators (user_id, reason) values (${user}, 'tried')`;
    const after = await as(sql, "authenticated", claims, (sql) => cancel(sql, trip.id, "operator_decision"));

    assertEquals([reads, before, after.status], [1, "operator_required", "cancelled"]);
  }),
);

async function people(sql: TransactionSql) {
  const everybody = [await openRider(sql), await openDriver(sql), await openDriver(sql, { isOnline: false })];
  return await Promise.all(everybody.map(async ({ id }) => {
    const user = await createUser(sql);
    await sql`update public.profiles set user_id = ${user} where id = ${id}`;
    return { id, user };
  })) as [{ id: string; user: string }, { id: string; user: string }, { id: string; user: string }];
}
