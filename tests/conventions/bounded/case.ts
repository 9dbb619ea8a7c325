import type { TransactionSql } from "postgres";

/** Something that reads or writes partitioned tables, called as its callers call it. */
export type BoundedCall = (sql: TransactionSql) => Promise<unknown>;

/** Calls by the name of what they call: `public.get_config`, a view's name for a query of it. */
export type BoundedCalls = Record<string, BoundedCall>;
