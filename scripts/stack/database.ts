import type { Sql } from "postgres";
import { prepareCluster, prepareDatabase } from "./bootstrap.ts";
import { LOCAL_KEYS } from "./development.ts";
import { migrate } from "./migrate.ts";
import { connect, SUPERUSER, urlOf } from "./connection.ts";

/** One database, as each of the roles that the stack logs in with. */
export interface Target {
  /** Makes roles, extensions and auth tables. */
  superuserUrl: string;
  /** As `postgres`, whom migrations and tools use. */
  url: string;
  /** As the API logs in: it inherits nothing and becomes each client role. */
  authenticatorUrl: string;
}

export const MIGRATIONS: URL = new URL("../../supabase/migrations/", import.meta.url);

/** A database of the local cluster. */
export function localTarget(port: number, database = "postgres"): Target {
  return {
    superuserUrl: urlOf(port, database, SUPERUSER),
    url: urlOf(port, database),
    authenticatorUrl: urlOf(port, database, "authenticator"),
  };
}

/** A database elsewhere, given by the URL of a superuser; its `authenticator` has the local password. */
export function foreignTarget(url: string): Target {
  const authenticator = new URL(url);
  authenticator.username = "authenticator";
  authenticator.password = "postgres";
  return { superuserUrl: url, url, authenticatorUrl: authenticator.href };
}

/**
 * Brings a database to where a hosted one stands after `supabase db push`.
 *
 * @returns the migrations applied now
 */
export async function prepareMigratedDatabase(target: Target): Promise<string[]> {
  await withConnection(target.superuserUrl, prepareCluster);
  await prepareDatabase(target.superuserUrl, LOCAL_KEYS);
  return await withConnection(target.url, (sql) => migrate(sql, MIGRATIONS));
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
