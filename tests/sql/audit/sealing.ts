import type { Sql, TransactionSql } from "postgres";

/** What verify_audit_log() says. */
export interface Finding {
  block_number: string | null;
  row_id: string | null;
  what: "altered" | "missing" | "inserted" | "seal_altered";
}

const PATIENCE = 30_000;

/** Seals what there is; says how many rows. */
export async function seal(sql: Sql | TransactionSql, maxCount = 50_000): Promise<number> {
  const [row] = await sql`select public.seal_audit_log(${maxCount}) as count`;
  return row!.count;
}

/** Seals until every row is sealed: transactions of other tests on this cluster hold it up for a while. */
export async function sealAll(sql: Sql, maxCount?: number): Promise<void> {
  const impatience = Date.now() + PATIENCE;
  while (await unsealedCount(sql) > 0) {
    if (await seal(sql, maxCount) === 0 && Date.now() > impatience) throw new Error("rows stay unsealed");
  }
}

/** Seals one block, as soon as that is possible. */
export async function sealBlock(sql: Sql | TransactionSql, maxCount?: number): Promise<void> {
  const impatience = Date.now() + PATIENCE;
  while (await seal(sql, maxCount) === 0) {
    if (Date.now() > impatience) throw new Error("no row can be sealed");
  }
}

async function unsealedCount(sql: Sql): Promise<number> {
  const [row] = await sql`
    select count(*)::int as count from public.system_audit_logs as log
    where not exists (select from public.audit_seals as seal where log.id = any (seal.row_ids))`;
  return row!.count;
}

/** Writes events, in the transaction that is open or in one of its own; gives their ids. */
export async function logEvents(sql: Sql | TransactionSql, ...resourceIds: string[]): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select public.log_audit_event('service', 'dispatch', 'assign', 'trip', resource_id, '{"fare": 700}') as id
    from unnest(${resourceIds}::text[]) as resource_id`;
  return rows.map(({ id }) => id);
}

/** Writes events and seals them. */
export async function sealedEvents(sql: Sql, ...resourceIds: string[]): Promise<string[]> {
  const ids = await logEvents(sql, ...resourceIds);
  await sealAll(sql);
  return ids;
}

/** The rows of each block, oldest block first. */
export async function sealedRows(sql: Sql | TransactionSql): Promise<string[][]> {
  const rows = await sql<{ row_ids: string[] }[]>`select row_ids from public.audit_seals order by block_number`;
  return rows.map(({ row_ids }) => row_ids);
}

/** What is wrong with the log, or null. */
export async function verify(sql: Sql | TransactionSql, fromBlock: number | null = null): Promise<Finding | null> {
  const [finding] = await sql<Finding[]>`select * from public.verify_audit_log(${fromBlock})`;
  return finding ?? null;
}
