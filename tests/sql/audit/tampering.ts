import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { type Finding, sealedEvents } from "./sealing.ts";

export const LOG = "public.system_audit_logs";
export const SEALS = "public.audit_seals";

/** A log of nine rows, three in each of the blocks 2, 3 and 4; the first block seals nothing. */
export interface SealedLog {
  ids: string[];
  /** The leaf that holds them. */
  leaf: string;
  /** A test that tampers with the log; the next one finds it whole again. */
  tamperTest(name: string, body: (sql: TransactionSql) => Promise<void>): void;
  /** The same without being a test. */
  attempt(body: (sql: TransactionSql) => Promise<void>): Promise<void>;
}

/** Makes a sealed log for one test file. */
export async function createSealedLog(): Promise<SealedLog> {
  const database = await createTestDatabase();
  const ids: string[] = [];
  for (const block of [0, 1, 2]) {
    ids.push(...await sealedEvents(database.sql, ...[1, 2, 3].map((n) => `trip-${block * 3 + n}`)));
  }
  const [row] = await database.sql<{ leaf: string }[]>`
    select distinct tableoid::regclass::text as leaf from public.system_audit_logs`;
  return {
    ids,
    leaf: row!.leaf,
    tamperTest: (name, body) => Deno.test(`verify_audit_log() ${name}`, rolledBack(database, body)),
    attempt: (body) => rolledBack(database, body)(),
  };
}

/** Does to an append-only table what its triggers refuse, as its owner can. */
export async function tamper(sql: TransactionSql, table: string, statement: string): Promise<void> {
  await sql.unsafe(`alter table ${table} disable trigger user; ${statement}; alter table ${table} enable trigger user`)
    .simple();
}

/** Inserts another row into the block of this one, as the owner can; the id's time and the cluster are SQL. */
export async function forge(
  sql: TransactionSql,
  like: string,
  { table = LOG, at = "clock_timestamp()", cluster = "cluster_id" } = {},
): Promise<string> {
  const [row] = await sql.unsafe<{ id: string }[]>(
    `insert into ${table} (id, actor_type, actor_identifier, action, resource_type, cluster_id, transaction_id)
    select private.uuid_v7(${at}), actor_type, actor_identifier, 'forged', resource_type, ${cluster}, transaction_id
    from ${LOG} where id = '${like}' returning id`,
  );
  return row!.id;
}

/** What verify_audit_log() is expected to find. */
export function found(block: number | null, what: Finding["what"], row: string | null = null): Finding {
  return { block_number: block === null ? null : String(block), row_id: row, what };
}
