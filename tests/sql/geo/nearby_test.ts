import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import { asPerson, haversine, KIGALI, nearby, people, person, type Place, report } from "./places.ts";

const FORBIDDEN = "42501";
const MILLIMETRE = 0.001;
const HALF_WAY_ROUND = 20_015_115;
const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

const anywhere = fc.record({
  lat: fc.double({ min: -90, max: 90, noNaN: true }),
  lng: fc.double({ min: -180, max: 180, noNaN: true }),
});
/** Around a place, a few kilometres; beyond a pole or the antimeridian it goes on at the other side. */
const around = ({ lat, lng }: Place) =>
  fc.record({
    lat: fc.double({ min: -0.05, max: 0.05, noNaN: true }).map((by) => Math.max(-90, Math.min(90, lat + by))),
    lng: fc.double({ min: -0.05, max: 0.05, noNaN: true }).map((by) => (lng + by + 540) % 360 - 180),
  });
const CENTRES: Record<string, Place> = {
  "in Kigali": KIGALI,
  "across the antimeridian": { lat: -16.8, lng: 180 },
  "at the north pole": { lat: 90, lng: 0 },
  "at the south pole": { lat: -89.98, lng: -120 },
};

/** The answer by looking at everybody. */
function expected(here: Place, drivers: Map<string, Place>, radius: number, count: number): number[] {
  return [...drivers.values()].map((place) => haversine(here, place)).filter((distance) => distance <= radius)
    .sort((one, other) => one - other).slice(0, count);
}

/** Compares every answer with brute force, while the drivers drive on. */
async function agrees(sql: TransactionSql, places: fc.Arbitrary<Place>, radii: readonly number[]): Promise<void> {
  const ids = await people(sql, 30);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ driver: fc.nat(ids.length - 1), place: places }), { minLength: 1, maxLength: 60 }),
      places,
      fc.constantFrom(...radii),
      fc.integer({ min: 1, max: 20 }),
      async (reports, here, radius, count) => {
        await sql`delete from private.driver_positions`;
        const drivers = new Map<string, Place>();
        for (const { driver, place } of reports) {
          await report(sql, ids[driver]!, place);
          drivers.set(ids[driver]!, place);
        }

        const found = await nearby(sql, here, { radius, count });

        const distances = expected(here, drivers, radius, count);
        assertEquals(found.length, distances.length);
        found.forEach((each, index) => {
          const driver = drivers.get(each.id)!;
          assertEquals([each.lat, each.lng], [driver.lat, driver.lng]);
          assert(Math.abs(each.distance_meters - haversine(here, driver)) < MILLIMETRE);
          assert(Math.abs(each.distance_meters - distances[index]!) < MILLIMETRE);
        });
      },
    ),
    { numRuns: 25 },
  );
}

for (const [where, centre] of Object.entries(CENTRES)) {
  test(
    `find_nearby_locations() finds whom brute force finds, in its order, ${where}`,
    (sql) => agrees(sql, around(centre), [120, 1_000, 4_000, 20_000]),
  );
}

test(
  "find_nearby_locations() finds whom brute force finds, in its order, all over the Earth",
  (sql) => agrees(sql, anywhere.filter(({ lat }) => Math.abs(lat) < 89), [1_000_000, 19_000_000]),
);

test("distance_meters() is haversine to a millimetre, and to 0.2 m at the other end of the Earth", async (sql) => {
  await fc.assert(
    fc.asyncProperty(anywhere, anywhere, async (one, other) => {
      const [row] = await sql`
        select private.distance_meters(${one.lat}, ${one.lng}, ${other.lat}, ${other.lng}) as distance`;
      const distance = haversine(one, other);
      assert(Math.abs(row!.distance - distance) < (distance < 19_000_000 ? MILLIMETRE : 0.2));
    }),
    { numRuns: 300, examples: [[{ lat: 5e-324, lng: 0 }, { lat: 0, lng: 5e-324 }]] },
  );

  const [row] =
    await sql`select private.distance_meters(0, -180, 0, 180) as same, private.distance_meters(90, 0, -90, 5) as ends`;
  assert(row!.same < MILLIMETRE);
  assert(Math.abs(row!.ends - HALF_WAY_ROUND) < 1);
});

test("find_nearby_locations() finds a driver that moved a little where they are, not where the index has them", async (sql) => {
  const [near, far] = await people(sql, 2);
  await report(sql, near!, { lat: 0.0021, lng: 0 });
  await report(sql, far!, { lat: 0.0022, lng: 0 });
  // Each goes past the other within what the index does not learn.
  await report(sql, near!, { lat: 0.0040, lng: 0 });
  await report(sql, far!, { lat: 0.0004, lng: 0 });

  const found = await nearby(sql, { lat: 0, lng: 0 }, { count: 1 });

  assertEquals(found.map(({ id }) => id), [far]);
});

test("find_nearby_locations() tells the types of drivers apart", async (sql) => {
  const [moto, car] = await people(sql, 2);
  await report(sql, moto!, KIGALI, { type: "driver_moto" });
  await report(sql, car!, KIGALI, { type: "driver_car" });

  assertEquals((await nearby(sql, KIGALI, { type: "driver_car" })).map(({ id }) => id), [car]);
  assertEquals(await nearby(sql, KIGALI), []);
});

test("find_nearby_locations() leaves out who was not seen lately", async (sql) => {
  const [fresh, stale] = await people(sql, 2);
  await report(sql, fresh!, KIGALI);
  await report(sql, stale!, KIGALI, { at: new Date(Date.now() - 120_000) });

  assertEquals((await nearby(sql, KIGALI, { maxAge: 60 })).map(({ id }) => id), [fresh]);
  assertEquals((await nearby(sql, KIGALI)).length, 2);
});

test("find_nearby_locations() orders those at one place by id", async (sql) => {
  const ids = await people(sql, 5);
  for (const id of ids.toReversed()) await report(sql, id, KIGALI);

  assertEquals((await nearby(sql, KIGALI)).map(({ id }) => id), ids.toSorted());
});

for (
  const [fault, search] of [
    ["a latitude beyond the pole", { here: { lat: 90.1, lng: 0 } }],
    ["a longitude that is no number", { here: { lat: 0, lng: NaN } }],
    ["no radius", { radius: 0 }],
    ["more than 100", { count: 101 }],
    ["an age of nothing", { maxAge: 0 }],
    ["a type that is none", { type: "Driver!" }],
  ] as const
) {
  test(`find_nearby_locations() refuses ${fault}`, async (sql) => {
    const { here = KIGALI, ...rest } = search as { here?: Place };

    assertEquals((await refusalOf(sql, (inner) => nearby(inner, here, rest)))[0], "invalid_argument");
  });
}

test("find_nearby_locations() by index: a search reads neighbours, not the table", async (sql) => {
  await sql`
    with drivers as (
      insert into public.profiles (full_name) select 'Driver ' || n from generate_series(1, 5000) as n returning id
    )
    select count(public.update_driver_position(id, -2 + random() * 0.5, 30 + random() * 0.5)) from drivers`;
  const before = await rowsRead(sql);

  await nearby(sql, { lat: -1.75, lng: 30.25 }, { radius: 20_000, count: 5 });

  const read = await rowsRead(sql) - before;
  assert(read > 0 && read < 250, `${read} rows read`);
});

/** How many rows this transaction has fetched of the positions, by whatever way. */
async function rowsRead(sql: TransactionSql): Promise<number> {
  const [row] = await sql`
    select seq_tup_read + coalesce(idx_tup_fetch, 0) as rows from pg_stat_xact_all_tables
    where relid = 'private.driver_positions'::regclass`;
  return Number(row!.rows);
}

test("find_nearby_locations() gives nobody who signed in another's position", async (sql) => {
  const me = crypto.randomUUID();
  const driver = await person(sql, me);
  await report(sql, driver, KIGALI);

  const state = await asPerson(sql, me, (client) => sqlStateOf(client, (inner) => nearby(inner, KIGALI)));

  assertEquals(state, FORBIDDEN);
});
