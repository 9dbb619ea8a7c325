import type { TransactionSql } from "postgres";

/** A rule that the catalog can be asked about; its name is the key that it stands under. */
export interface Convention {
  /** Lists what breaks the rule, one per row. */
  offenders: string;
  /** Statements that break it, to prove that the query sees it. */
  breach: string;
}

/** The schemas that are ours, for `... in ${OURS}`. */
export const OURS =
  `('public'::regnamespace, 'private'::regnamespace, 'partitions'::regnamespace, 'archive'::regnamespace)`;

/** What breaks a convention in this database, in a stable order. */
export async function offendersOf(sql: TransactionSql, { offenders }: Convention): Promise<string[]> {
  const rows = await sql.unsafe(offenders).values();
  return rows.map(([offender]) => String(offender)).sort();
}
