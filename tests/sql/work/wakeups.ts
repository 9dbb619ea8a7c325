import type { ISql, Sql, TransactionSql } from "postgres";

export const FUNCTIONS_URL = "http://127.0.0.1:54321/functions/v1";
export const TOKEN = "a worker's token";

/** Gives the database's Vault what it calls the worker with. */
export async function tellVault(sql: ISql): Promise<void> {
  await sql`select vault.create_secret(${FUNCTIONS_URL}, 'functions_url'), vault.create_secret(${TOKEN}, 'worker_token')`;
}

/** A call that leaves with the commit. */
export interface Call {
  url: string;
  headers: Record<string, string>;
  timeout_milliseconds: number;
}

/** What the database is about to call. */
export async function calls(sql: ISql): Promise<Call[]> {
  return [...await sql<Call[]>`select url, headers, timeout_milliseconds from net.http_request_queue order by id`];
}

export async function kick(sql: Sql | TransactionSql): Promise<void> {
  await sql`select private.kick_worker()`;
}
