import type { DurablePostgres } from "./durable_postgres.ts";

const MILLION = 1_000_000;
const STEP = 100_000;
const FILL = new URL("../history/fill_analytics.sql", import.meta.url);

/** Stores events until there are so many millions; what was stored before counts. */
export async function fillAnalytics({ sql }: DurablePostgres, millions: number): Promise<void> {
  const fill = await Deno.readTextFile(FILL);
  const [stored] = await sql`select count(*)::integer as count from public.analytics_events`;
  for (let count = stored!.count; count < millions * MILLION; count += STEP) await sql.unsafe(fill, [STEP]);
  await sql.unsafe("vacuum (analyze) public.analytics_events, public.analytics_actor_days");
}
