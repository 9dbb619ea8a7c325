import type { Measurement } from "./measurement.ts";
import { type DurablePostgres, withDurablePostgres } from "./support/durable_postgres.ts";
import { fillAnalytics } from "./support/filled_analytics.ts";
import { interleave } from "./support/rounds.ts";
import { median } from "./support/statistics.ts";
import { figure, ratio, type Table } from "./support/table.ts";

const MARKS = [2, 10];
const QUICK_MARKS = [0.2];
/** How many times faster than a full REFRESH one dirty day must be, at the first mark. */
const LEAST = 40;

const FULL = `
  create materialized view private.all_metrics as
  select day, coalesce(event_name, '*') as event_name, count(*) as event_count, count(distinct actor_id) as actor_count
  from public.analytics_events group by grouping sets ((day, event_name), (day));
  create unique index on private.all_metrics (day, event_name)`;

const RIVALS: Record<string, { dirtyDays: number; refresh: string }> = {
  "none": { dirtyDays: 0, refresh: "select public.refresh_daily_metrics()" },
  "one day": { dirtyDays: 1, refresh: "select public.refresh_daily_metrics()" },
  "three days": { dirtyDays: 3, refresh: "select public.refresh_daily_metrics()" },
  "full REFRESH": { dirtyDays: 0, refresh: "refresh materialized view concurrently private.all_metrics" },
};

/** How long it takes until the metrics are right again. */
export const analyticsRefresh: Measurement = {
  about:
    "refresh_daily_metrics() when none, one and three of 90 days have changed; beside a REFRESH of the same counts over all events.",
  isOnRequest: true,
  run: ({ isQuick, rounds }) =>
    withDurablePostgres(async (postgres) => {
      const marks = isQuick ? QUICK_MARKS : MARKS;
      const found: Record<string, number>[] = [];
      for (const mark of marks) {
        await fillAnalytics(postgres, mark);
        await prepare(postgres, found.length === 0);
        const turns = Object.entries(RIVALS).map(([name, rival]) => [name, () => time(postgres, rival)]);
        const readings = await interleave<number>(rounds + 1, Object.fromEntries(turns));
        // The first round warms up.
        found.push(Object.fromEntries(Object.entries(readings).map(([name, all]) => [name, median(all.slice(1))])));
      }
      return [tableOf(found, marks, postgres.settings)];
    }),
};

async function prepare({ sql }: DurablePostgres, isFirst: boolean): Promise<void> {
  if (isFirst) await sql.unsafe(FULL).simple();
  await sql.unsafe("select public.refresh_daily_metrics()");
  await sql.unsafe("refresh materialized view private.all_metrics");
}

async function time(
  { sql }: DurablePostgres,
  { dirtyDays, refresh }: { dirtyDays: number; refresh: string },
): Promise<number> {
  for (let day = 1; day <= dirtyDays; day++) {
    await sql`
      insert into public.analytics_events (day, id, event_name, actor_id, occurred_at)
      select (at at time zone 'Africa/Kigali')::date, gen_random_uuid(), 'event_1', md5('user:1')::uuid, at
      from (values (now() - make_interval(days => ${day}))) as event (at)`;
  }
  const startedAt = performance.now();
  await sql.unsafe(refresh);
  return performance.now() - startedAt;
}

function tableOf(found: readonly Record<string, number>[], marks: readonly number[], settings: string): Table {
  const gain = found[0]!["full REFRESH"]! / found[0]!["one day"]!;
  return {
    title: "Milliseconds until the metrics are right",
    columns: ["changed", ...marks.map((mark) => `${mark} M events`)],
    rows: Object.keys(RIVALS).map((name) => [name, ...found.map((at) => figure(at[name]!))]),
    notes: [
      `Target: one day at least ${LEAST} times faster than the full REFRESH at ${MARKS[0]} M: ${
        gain >= LEAST ? "met" : "NOT met"
      } with ${ratio(gain, 1)} at ${marks[0]} M.`,
      settings,
    ],
  };
}
