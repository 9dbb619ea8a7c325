import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import { haversine, KIGALI, type Place } from "./places.ts";

const REMERA: Place = { lat: -1.9578, lng: 30.1123 };
const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

async function save(
  sql: TransactionSql,
  [from, to]: [Place, Place],
  { mode = "driving", meters = 7_000, ttl = 600 } = {},
): Promise<string> {
  const [row] = await sql`
    select public.save_route(${from.lat}, ${from.lng}, ${to.lat}, ${to.lng}, 'osrm', ${meters}, 900, '_p~iF~ps|U', ${mode}, ${ttl}) as id`;
  return row!.id;
}

async function find(sql: TransactionSql, [from, to]: [Place, Place], { mode = "driving", within = 50 } = {}) {
  const [route] = await sql`
    select * from public.get_cached_route(${from.lat}, ${from.lng}, ${to.lat}, ${to.lng}, ${mode}, ${within})`;
  return route;
}

test("get_cached_route() finds what save_route() kept, and the later answer for the same ends", async (sql) => {
  const first = await save(sql, [KIGALI, REMERA]);
  const again = await save(sql, [{ lat: KIGALI.lat + 0.00001, lng: KIGALI.lng }, REMERA], { meters: 7_100 });

  const route = await find(sql, [KIGALI, REMERA]);

  assertEquals(again, first);
  assertEquals([route!.id, route!.distance_meters, route!.polyline], [first, 7_100, "_p~iF~ps|U"]);
});

test("get_cached_route() finds neither the way back, nor another mode, nor what is over", async (sql) => {
  const id = await save(sql, [KIGALI, REMERA]);

  assertEquals(await find(sql, [REMERA, KIGALI]), undefined);
  assertEquals(await find(sql, [KIGALI, REMERA], { mode: "walking" }), undefined);
  await sql`update public.routes set expires_at = now() where id = ${id}`;
  assertEquals(await find(sql, [KIGALI, REMERA]), undefined);
  const [row] = await sql`select private.purge_routes() as count`;
  assertEquals(row!.count, "1");
});

const end = fc.record({
  lat: fc.double({ min: 89.99, max: 90, noNaN: true }),
  lng: fc.double({ min: -180, max: 180, noNaN: true }),
});
const crossing = fc.record({
  lat: fc.double({ min: -0.01, max: 0.01, noNaN: true }),
  lng: fc.double({ min: -0.01, max: 0.01, noNaN: true }).map((by) => by < 0 ? 180 + by : -180 + by),
});
for (const [where, place] of [["at a pole", end], ["across the antimeridian", crossing]] as const) {
  test(`get_cached_route() holds the tolerance at both ends, ${where}`, async (sql) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(place, place), { minLength: 1, maxLength: 8 }),
        fc.tuple(place, place),
        fc.constantFrom(100, 700, 2_000),
        async (kept, asked, within) => {
          await sql`delete from public.routes`;
          for (const ends of kept) await save(sql, ends);
          const rows =
            await sql`select id, origin_lat, origin_lng, destination_lat, destination_lng from public.routes`;
          const offsets = new Map(rows.map((row) => [
            row.id,
            [
              haversine(asked[0], { lat: row.origin_lat, lng: row.origin_lng }),
              haversine(asked[1], { lat: row.destination_lat, lng: row.destination_lng }),
            ],
          ]));
          const near = [...offsets].filter(([, each]) => Math.max(...each) <= within);

          const route = await find(sql, asked, { within });

          assertEquals(Boolean(route), near.length > 0);
          const best = Math.min(...near.map(([, each]) => Math.hypot(...each)));
          if (route) assert(Math.abs(Math.hypot(...offsets.get(route.id)!) - best) < 0.01);
        },
      ),
      { numRuns: 25 },
    );
  });
}

test("route_cache_stats tells what is kept, by provider and mode", async (sql) => {
  await save(sql, [KIGALI, REMERA]);
  await save(sql, [REMERA, KIGALI], { meters: 9_000 });

  const [row] =
    await sql`select provider, travel_mode, route_count, expired_count, average_distance_meters from public.route_cache_stats`;

  assertEquals(Object.values(row!), ["osrm", "driving", "2", "0", 8_000]);
});

for (
  const [fault, work] of [
    ["a distance that is no number", (sql: TransactionSql) => save(sql, [KIGALI, REMERA], { meters: NaN })],
    ["an end off the Earth", (sql: TransactionSql) => save(sql, [KIGALI, { lat: 91, lng: 0 }])],
    ["more than a month", (sql: TransactionSql) => save(sql, [KIGALI, REMERA], { ttl: 2_678_401 })],
    ["a tolerance below zero", (sql: TransactionSql) => find(sql, [KIGALI, REMERA], { within: -1 })],
  ] as const
) {
  test(`routes refuse ${fault}`, async (sql) => {
    assertEquals((await refusalOf(sql, work))[0], "invalid_argument");
  });
}
