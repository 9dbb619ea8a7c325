import type { Sql } from "postgres";
import { withMigratedPostgres } from "../scripts/stack/throwaway.ts";
import { connect } from "../scripts/stack/connection.ts";
import type { Measurement } from "./measurement.ts";
import { percentile } from "./support/statistics.ts";
import { figure, ratio, type Table } from "./support/table.ts";

const MARKS = [10_000, 100_000, 1_000_000];
const SEARCHES = 1_000;
const REPORTS = 2_000;
/** Half of the drivers are in a town of 20 by 20 km, the others all over the country. */
const DRIVERS = `
  with people as (
    insert into public.profiles (full_name) select 'Driver' from generate_series(1, $1::integer) returning id
  ), placed as (
    select id, random() < 0.5 as is_in_town, random() as x, random() as y from people
  )
  select count(public.update_driver_position(
    id,
    case when is_in_town then -2.04 + x * 0.18 else -2.8 + x * 1.7 end,
    case when is_in_town then 29.97 + y * 0.18 else 28.9 + y * 1.9 end,
    location_type => 'driver_' || (array['moto', 'car', 'tuk_tuk'])[1 + floor(random() * 3)]
  )) from placed`;

const SEARCHED = {
  "10 motos within 5 km, in town": (sql: Sql) => search(sql, inTown(), 5_000, 10),
  "50 motos within 50 km, anywhere": (sql: Sql) => search(sql, anywhere(), 50_000, 50),
  "none there is, within 50 km": (sql: Sql) =>
    sql`select * from public.find_nearby_locations(${-1.95}, ${30.06}, 50000, 'driver_boat', 10, 60)`,
  "a report of a driver that moved 30 m": (sql: Sql) => move(sql),
} as const;

/** What finding the nearest drivers costs, the more of them there are. */
export const geoNearby: Measurement = {
  about: `find_nearby_locations() and update_driver_position() beside ${
    MARKS.map(thousands).join(", ")
  } live positions.`,
  run: ({ isQuick }) =>
    withMigratedPostgres("bench", async ({ url }) => {
      await using sql = Object.assign(connect(url), { [Symbol.asyncDispose]: () => sql.end() });
      const marks = isQuick ? MARKS.slice(0, 2) : MARKS;
      const found: Record<string, number[][]> = Object.fromEntries(Object.keys(SEARCHED).map((name) => [name, []]));
      let filled = 0;
      for (const mark of marks) {
        for (; filled < mark; filled += MARKS[0]!) await sql.unsafe(DRIVERS, [MARKS[0]!]);
        await sql`vacuum (analyze) private.driver_positions`;
        for (const [name, work] of Object.entries(SEARCHED)) found[name]!.push(await time(sql, work));
      }
      return [table(found, marks)];
    }),
};

async function time(sql: Sql, work: (sql: Sql) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let turn = 0; turn < SEARCHES / 5; turn++) await work(sql);
  while (times.length < SEARCHES) {
    const startedAt = performance.now();
    await work(sql);
    times.push(performance.now() - startedAt);
  }
  return times;
}

function search(sql: Sql, [lat, lng]: readonly [number, number], radius: number, count: number): Promise<unknown> {
  return sql`select * from public.find_nearby_locations(${lat}, ${lng}, ${radius}, 'driver_moto', ${count}, 3600)`;
}

let movers: { driver_id: string; lat: number; lng: number; location_type: string }[] = [];

async function move(sql: Sql): Promise<unknown> {
  if (movers.length === 0) {
    movers = [
      ...await sql<typeof movers>`
        select driver_id, lat, lng, location_type from private.driver_positions limit ${REPORTS}`,
    ];
  }
  const mover = movers.pop()!;
  return await sql`
    select public.update_driver_position(${mover.driver_id}, ${
    mover.lat + 0.0003
  }, ${mover.lng}, location_type => ${mover.location_type})`;
}

function inTown(): [number, number] {
  return [-2.04 + Math.random() * 0.18, 29.97 + Math.random() * 0.18];
}

function anywhere(): [number, number] {
  return [-2.8 + Math.random() * 1.7, 28.9 + Math.random() * 1.9];
}

function thousands(count: number): string {
  return count.toLocaleString("en");
}

function table(found: Record<string, number[][]>, marks: readonly number[]): Table {
  return {
    title: "Milliseconds a call, p50 / p95",
    columns: ["", ...marks.map(thousands), "p95, last of first"],
    rows: Object.entries(found).map(([name, times]) => [
      name,
      ...times.map((each) => `${figure(percentile(each, 0.5))} / ${figure(percentile(each, 0.95))}`),
      ratio(percentile(times.at(-1)!, 0.95), percentile(times[0]!, 0.95)),
    ]),
    notes: [
      `${SEARCHES} calls each over one connection, round trip included. Half of the drivers are in a town of 20 by 20 km, so a town has ` +
      "more of them within 5 km, the more there are. Target: p95 below 10 ms at 1,000,000.",
    ],
  };
}
