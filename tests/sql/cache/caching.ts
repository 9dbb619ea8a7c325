import type { Sql, TransactionSql } from "postgres";

type Client = Sql | TransactionSql;

/** What lease_cache() says. */
export interface Answer {
  state: "fresh" | "stale" | "compute" | "wait";
  value: unknown;
  lease_token: string | null;
  retry_after_ms: number | null;
}

interface Kept {
  ttl?: number;
  type?: string;
  tags?: string[];
  stale?: number;
  token?: string | null;
}

export async function put(
  sql: Client,
  key: string,
  value: unknown,
  { ttl = 60, type = "default", tags = [], stale = 0, token = null }: Kept = {},
): Promise<boolean> {
  const [row] = await sql`
    select public.set_cache(${key}, ${
    sql.json(value as never)
  }, ${ttl}, ${type}, ${tags}, ${stale}, ${token}) as is_kept`;
  return row!.is_kept;
}

export async function get(sql: Client, key: string): Promise<unknown> {
  const [row] = await sql`select public.get_cache(${key}) as value`;
  return row!.value;
}

export async function lease(
  sql: Client,
  key: string,
  { seconds = 10, tags = [] }: { seconds?: number; tags?: string[] } = {},
): Promise<Answer> {
  const [row] = await sql<Answer[]>`select * from public.lease_cache(${key}, ${seconds}, 'default', ${tags})`;
  return { ...row! };
}

/** What is good until now is past it; leases too, where they are meant. */
export async function expire(sql: Client, key: string): Promise<void> {
  await sql`update public.cache_entries set expires_at = now() where key = ${key}`;
}
