import type { Sql } from "postgres";

/** Waits until some connection of this database waits for a lock. */
export async function untilSomebodyWaits(sql: Sql): Promise<void> {
  for (;;) {
    const waiting = await sql`
      select from pg_locks join pg_stat_activity using (pid)
      where not granted and datname = current_database()`;
    if (waiting.length > 0) return;
  }
}
