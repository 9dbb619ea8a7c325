import type { TransactionSql } from "postgres";

/** Leaves of the partitioned tables by what a piece of work did with them. */
export interface OpenedLeaves {
  /** Scanned or written, as Postgres counts it. */
  used: string[];
  /** Locked: what planning and the start of execution could not rule out. */
  locked: string[];
}

/**
 * Which leaves `work` really opened: every statement counts, also those inside PL/pgSQL functions.
 *
 * @param sql - a transaction that has touched no leaf yet
 */
export async function openedLeaves(sql: TransactionSql, work: () => Promise<unknown>): Promise<OpenedLeaves> {
  const before = await scans(sql);
  await work();
  const after = await scans(sql);
  const locks = await sql<{ leaf: string }[]>`
    select distinct relation::regclass::text as leaf from pg_locks
    where pid = pg_backend_pid() and locktype = 'relation' and relation in (
      select oid from pg_class where relnamespace = 'partitions'::regnamespace and relkind = 'r'
    )`;
  return {
    used: [...after].filter(([leaf, count]) => count > (before.get(leaf) ?? 0)).map(([leaf]) => leaf).sort(),
    locked: locks.map(({ leaf }) => leaf).sort(),
  };
}

/** Counted since the statistics were last flushed, which may be before this transaction: compare, do not read. */
async function scans(sql: TransactionSql): Promise<Map<string, number>> {
  const rows = await sql<{ leaf: string; count: number }[]>`
    select relid::regclass::text as leaf, (seq_scan + coalesce(idx_scan, 0) + n_tup_ins + n_tup_upd + n_tup_del)::int as count
    from pg_stat_xact_user_tables where schemaname = 'partitions'`;
  return new Map(rows.map(({ leaf, count }) => [leaf, count]));
}
