import type { Measurement } from "./measurement.ts";
import type { AnalyticsCommands } from "./support/analytics_server.ts";
import { type DurablePostgres, withDurablePostgres } from "./support/durable_postgres.ts";
import { fillAnalytics } from "./support/filled_analytics.ts";
import { ask } from "./support/json_server.ts";
import type { Reading } from "./support/meter.ts";
import { startServer } from "./support/processes.ts";
import { median } from "./support/statistics.ts";
import { figure, ratio, type Table } from "./support/table.ts";

const MARKS = [0, 10];
const QUICK_MARKS = [0, 0.5];
const ROUND = { batch: 100, clients: 1, seconds: 2 } as const;
/** What an event may cost at the last mark, as a multiple of what it cost at none. */
const MOST = 1.2;

/** Each question, about the last 30 days. */
const QUESTIONS: Record<string, string> = {
  "active users of a day, a week, a month": "analytics_active_users(current_date - 29, current_date)",
  "a funnel of three steps, within a day":
    "analytics_funnel('{event_1,event_2,event_3}', current_date - 29, current_date, 86400)",
  "the same, by vehicle":
    "analytics_funnel('{event_1,event_2,event_3}', current_date - 29, current_date, 86400, 'vehicle')",
  "retention by day": "analytics_retention(current_date - 29, current_date)",
  "retention by week": "analytics_retention(current_date - 29, current_date, 'week', 4)",
  "sessions": "analytics_sessions(current_date - 29, current_date)",
  "top events": "analytics_top_events(current_date - 29, current_date)",
  "top properties of an event": "analytics_top_properties('event_1', current_date - 29, current_date)",
  "top values of a property": "analytics_top_values('event_1', 'vehicle', current_date - 29, current_date)",
  "what a person did last": "analytics_timeline(user_id => '7')",
  "who was served a flag": "analytics_flag_adoption('checkout', current_date - 29, current_date)",
  "an overview": "analytics_overview(current_date - 29, current_date)",
};

/** Whether storing an event costs more when millions are there, and how long questions take then. */
export const analyticsSize: Measurement = {
  about: `track_events() beside 0 and ${
    MARKS.at(-1)
  } million events of the last 90 days; and each question about them.`,
  isOnRequest: true,
  run: ({ isQuick, rounds }) =>
    withDurablePostgres(async (postgres) => {
      await postgres.sql`select public.create_analytics_write_key('bench')`;
      await using server = await startServer(
        "bench/processes/sql_analytics.ts",
        postgres.url,
        String(postgres.postmaster),
        "ours",
      );
      const store = (input: AnalyticsCommands["store"]): Promise<Reading> => ask(server, "store", input);
      const marks = isQuick ? QUICK_MARKS : MARKS;
      const found: { cpu: number; rate: number }[] = [];
      for (const mark of marks) {
        await fillAnalytics(postgres, mark);
        await store(ROUND);
        const readings: Reading[] = [];
        for (let round = 0; round < rounds; round++) readings.push(await store(ROUND));
        found.push({
          cpu: median(readings.map(({ postgresCpu }) => postgresCpu)),
          rate: median(readings.map(({ count, seconds }) => count / seconds)),
        });
      }
      return [growthTable(found, marks, postgres.settings), await questionTable(postgres, marks.at(-1)!, rounds)];
    }),
};

function growthTable(
  found: readonly { cpu: number; rate: number }[],
  marks: readonly number[],
  settings: string,
): Table {
  const [first, last] = [found[0]!, found.at(-1)!];
  const growth = last.cpu / first.cpu;
  return {
    title: "An event beside so many, in batches of 100",
    columns: ["", ...marks.map((mark) => `${mark} M`), "last of first"],
    rows: [
      ["Postgres CPU, µs", ...found.map(({ cpu }) => figure(cpu)), ratio(last.cpu, first.cpu)],
      ["events per second", ...found.map(({ rate }) => figure(rate)), ratio(last.rate, first.rate)],
    ],
    notes: [`Target: CPU at most ${MOST}x: ${growth <= MOST ? "met" : "NOT met"} with ${ratio(growth, 1)}.`, settings],
  };
}

async function questionTable(postgres: DurablePostgres, mark: number, rounds: number): Promise<Table> {
  const rows: string[][] = [];
  for (const [title, question] of Object.entries(QUESTIONS)) {
    await answer(postgres, question);
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) times.push(await answer(postgres, question));
    rows.push([title, figure(median(times))]);
  }
  return {
    title: `Questions about 30 of 90 days, with ${mark} M events`,
    columns: ["question", "milliseconds"],
    rows,
    notes: ["The second answer and those after it: what is asked again and again is in memory."],
  };
}

/** How long the answer takes; fails if there is none. */
async function answer({ sql }: DurablePostgres, question: string): Promise<number> {
  const startedAt = performance.now();
  const rows = await sql.begin(async (sql) => {
    await sql`set local role service_role`;
    return await sql.unsafe(`select * from public.${question}`);
  });
  if (rows.length === 0) throw new Error(`${question} has no answer`);
  return performance.now() - startedAt;
}
