import type { Sql } from "postgres";
import { connect, SUPERUSER, urlOf } from "../../scripts/stack/connection.ts";
import { withMigratedPostgres } from "../../scripts/stack/throwaway.ts";
import { parentOf } from "./machine.ts";

/** A Postgres under measurement, with one migrated database. */
export interface DurablePostgres {
  url: string;
  /** Its first process, whose family's CPU is counted. */
  postmaster: number;
  /** One connection of the superuser, for what happens between rounds. */
  sql: Sql;
  /** What it says of its settings; for the notes of a table. */
  settings: string;
}

/** What would strike one rival's round and not another's: it is done between the rounds instead, for all of them. */
const QUIET = { autovacuum: "off", checkpoint_timeout: "1h", max_wal_size: "16GB" };
const SHOWN = ["fsync", "synchronous_commit", "full_page_writes", "shared_buffers", ...Object.keys(QUIET)];

/** Runs `work` beside a Postgres of its own with stock settings, except for those that make rounds unlike. */
export function withDurablePostgres<T>(
  work: (postgres: DurablePostgres) => Promise<T>,
  settings: Record<string, string> = QUIET,
): Promise<T> {
  return withMigratedPostgres("bench", async ({ url, superuserUrl }, port) => {
    const sql = connect(superuserUrl);
    try {
      for (const [name, value] of Object.entries(settings)) await sql.unsafe(`alter system set ${name} = '${value}'`);
      await sql`select pg_reload_conf()`;
      const [own] = await sql`select pg_backend_pid() as pid`;
      return await work({ url, postmaster: parentOf(own!.pid), sql, settings: await settingsOf(port) });
    } finally {
      await sql.end();
    }
  });
}

/** Read from a new connection, as the server has them now: a figure is worth nothing if somebody has switched these off. */
async function settingsOf(port: number): Promise<string> {
  const sql = connect(urlOf(port, "bench", SUPERUSER));
  const rows = await sql`select name, current_setting(name) as value from pg_settings where name in ${sql(SHOWN)}`;
  await sql.end();
  return `${rows.map(({ name, value }) => `${name} ${value}`).join(", ")}.`;
}
