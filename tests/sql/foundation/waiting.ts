import type { Sql } from "postgres";

const PATIENCE_MS = 20_000;

/** Waits until some connection of this database waits for a lock; fails when nobody ever does. */
export async function untilSomebodyWaits(sql: Sql): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline;) {
    const waiting = await sql`
      select from pg_locks join pg_stat_activity using (pid)
      where not granted and datname = current_database()`;
    if (waiting.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("nobody waited for a lock");
}
