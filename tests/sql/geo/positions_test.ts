import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import { asPerson, KIGALI, nearby, people, person, report } from "./places.ts";

const FORBIDDEN = "42501";
const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("update_driver_position() takes what is newer and ignores what is older", async (sql) => {
  const [driver] = await people(sql, 1);
  const at = (seconds: number) => ({ at: new Date(Date.now() - seconds * 1_000) });
  await report(sql, driver!, KIGALI, at(10));

  assertEquals(await report(sql, driver!, { lat: 1, lng: 1 }, at(20)), false);
  assertEquals(await report(sql, driver!, { lat: 2, lng: 2 }, at(5)), true);

  assertEquals((await nearby(sql, { lat: 2, lng: 2 })).length, 1);
});

test("update_driver_position() does not believe a clock that runs ahead", async (sql) => {
  const [driver] = await people(sql, 1);

  await report(sql, driver!, KIGALI, { at: new Date(Date.now() + 3_600_000) });

  const [row] = await sql`select recorded_at <= now() as is_past from private.driver_positions`;
  assertEquals(row!.is_past, true);
});

test("update_driver_position() touches no index while the driver stays near", async (sql) => {
  const [driver] = await people(sql, 1);
  await report(sql, driver!, { lat: 0, lng: 0 });
  const before = await updates(sql);
  for (let step = 1; step < 40; step++) await report(sql, driver!, { lat: step * 0.00005, lng: 0 });
  const near = await updates(sql);
  await report(sql, driver!, { lat: 0.01, lng: 0 });
  const far = await updates(sql);

  assertEquals([near.all - before.all, near.hot - before.hot], [39, 39]);
  assertEquals([far.all - near.all, far.hot - near.hot], [1, 0]);
});

async function updates(sql: TransactionSql): Promise<{ all: number; hot: number }> {
  const [row] = await sql`
    select n_tup_upd as all, n_tup_hot_upd as hot from pg_stat_xact_all_tables where relid = 'private.driver_positions'::regclass`;
  return { all: Number(row!.all), hot: Number(row!.hot) };
}

test("update_driver_position() refuses who is not known", async (sql) => {
  const [code] = await refusalOf(sql, (inner) => report(inner, crypto.randomUUID(), KIGALI));

  assertEquals(code, "profile_not_found");
});

for (
  const [fault, place, type] of [
    ["a place off the Earth", { lat: 91, lng: 0 }, "driver"],
    ["a place that is no number", { lat: NaN, lng: 0 }, "driver"],
    ["a type that is no driver's", KIGALI, "pharmacy"],
  ] as const
) {
  test(`update_driver_position() refuses ${fault}`, async (sql) => {
    const [driver] = await people(sql, 1);

    assertEquals((await refusalOf(sql, (inner) => report(inner, driver!, place, { type })))[0], "invalid_argument");
  });
}

test("update_driver_position() is for the service alone", async (sql) => {
  const me = crypto.randomUUID();
  const profileId = await person(sql, me);

  const state = await asPerson(sql, me, (client) => sqlStateOf(client, (inner) => report(inner, profileId, KIGALI)));

  assertEquals(state, FORBIDDEN);
});

test("forget_driver_position() takes a driver off the map at once", async (sql) => {
  const [driver] = await people(sql, 1);
  await report(sql, driver!, KIGALI);

  const [first] = await sql`select public.forget_driver_position(${driver!}) as was_known`;
  const [again] = await sql`select public.forget_driver_position(${driver!}) as was_known`;

  assertEquals([first!.was_known, again!.was_known], [true, false]);
  assertEquals(await nearby(sql, KIGALI), []);
});

test("purge_driver_positions() forgets what is more than an hour old", async (sql) => {
  const [fresh, old] = await people(sql, 2);
  await report(sql, fresh!, KIGALI);
  await report(sql, old!, KIGALI, { at: new Date(Date.now() - 3_700_000) });

  const [row] = await sql`select private.purge_driver_positions() as count`;

  assertEquals(Number(row!.count), 1);
  assertEquals((await nearby(sql, KIGALI)).map(({ id }) => id), [fresh]);
});

test("a person's position goes with the person", async (sql) => {
  const [driver] = await people(sql, 1);
  await report(sql, driver!, KIGALI);

  await sql`delete from public.profiles where id = ${driver!}`;

  assertEquals(await nearby(sql, KIGALI), []);
});
