import type { Sql } from "postgres";
import { prepareCluster, prepareDatabase } from "./bootstrap.ts";
import { LOCAL_KEYS } from "./development.ts";
import { migrate } from "./migrate.ts";
import { connect, SUPERUSER, urlOf } from "./postgres.ts";

export const MIGRATIONS: URL = new URL("../../supabase/migrations/", import.meta.url);

/**
 * Brings a database of the local cluster to where a hosted one stands after `supabase db push`.
 *
 * @returns the migrations applied now
 */
export async function prepareMigratedDatabase(port: number, database: string): Promise<string[]> {
  const superuserUrl = urlOf(port, database, SUPERUSER);
  await withConnection(urlOf(port, "postgres", SUPERUSER), prepareCluster);
  await prepareDatabase(superuserUrl, LOCAL_KEYS);
  return await withConnection(urlOf(port, database), (sql) => migrate(sql, MIGRATIONS));
}

/** Opens one connection for the length of `work`. */
export async function withConnection<T>(url: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = connect(url);
  try {
    return await work(sql);
  } finally {
    await sql.end();
  }
}
