import type { ISql } from "postgres";
import { until } from "./until.ts";

/** Waits until so many connections of the test's database wait for a lock. */
export async function untilWaiting(sql: ISql, count: number): Promise<void> {
  await until(async () => {
    // Within a transaction, what the activity shows is kept until it ends, unless it is cleared.
    await sql`select pg_stat_clear_snapshot()`;
    const [row] = await sql`
      select count(*)::integer as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    return row!.count >= count;
  }, `${count} wait for locks`);
}
