import type { TransactionSql } from "postgres";
import { as } from "../../support/database.ts";
import { asUser, createUser } from "../foundation/people.ts";

/** A value as `set_config()` takes it; what is absent stays as it is. */
export interface Draft {
  service?: string;
  key?: string;
  environment?: string;
  value: unknown;
  expected?: number | null;
  schema?: unknown;
  isPublic?: boolean | null;
  isSecret?: boolean | null;
}

/** A row of `configurations`. */
export interface Entry {
  value: unknown;
  version: string;
  revision: string;
  is_deleted: boolean;
  secret_id: string | null;
}

/** Writes a value of `payments`/`all`/`limit`, unless the draft says otherwise. */
export async function put(sql: TransactionSql, draft: Draft): Promise<Entry> {
  const { service = "payments", key = "limit", environment = "all" } = draft;
  const schema = draft.schema === undefined ? null : JSON.stringify(draft.schema);
  const [entry] = await sql<Entry[]>`
    select * from public.set_config(${service}, ${key}, ${JSON.stringify(draft.value)}::text::jsonb, ${environment},
      ${draft.expected ?? null}, ${schema}::text::jsonb, ${draft.isPublic ?? null}, ${draft.isSecret ?? null})`;
  return entry!;
}

/** Goes back to a version of `payments`/`all`/`limit`. */
export async function rollback(sql: TransactionSql, version: number): Promise<Entry> {
  const [entry] = await sql<Entry[]>`select * from public.rollback_config('payments', 'limit', 'all', ${version})`;
  return entry!;
}

/** A document as a service or a client reads it. */
export interface Document {
  version: number;
  entries: Record<
    string,
    { value: unknown; type: string; is_secret: boolean; origin: { service: string; environment: string } }
  >;
}

/** What a service is told. */
export async function documentOf(
  sql: TransactionSql,
  service: string,
  environment: string,
  hasSecrets = false,
): Promise<Document> {
  const [row] = await sql`select public.get_service_configs(${service}, ${environment}, ${hasSecrets}) as document`;
  return row!.document;
}

/** Runs `work` as an operator, registered unless said otherwise. */
export async function asOperator<T>(
  sql: TransactionSql,
  work: (sql: TransactionSql) => Promise<T>,
  isRegistered = true,
): Promise<T> {
  const id = await createUser(sql);
  if (isRegistered) await sql`insert into private.operators values (${id}, 'test')`;
  return asUser(sql, id, work, { app_metadata: { role: "operator" } });
}

/** Runs `work` with the secret key of that name. */
export async function asKey<T>(
  sql: TransactionSql,
  name: string,
  work: (sql: TransactionSql) => Promise<T>,
): Promise<T> {
  await sql`select set_config('request.headers', ${JSON.stringify({ "x-actor": name })}, true)`;
  return as(sql, "service_role", {}, work);
}
