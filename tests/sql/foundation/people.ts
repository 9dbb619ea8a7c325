import type { TransactionSql } from "postgres";
import { as } from "../../support/database.ts";

/** Makes somebody who can sign in; gives the user id. */
export async function createUser(sql: TransactionSql): Promise<string> {
  const id = crypto.randomUUID();
  await sql`insert into auth.users (id) values (${id})`;
  return id;
}

/** Runs `work` as that user. */
export function asUser<T>(
  sql: TransactionSql,
  userId: string,
  work: (sql: TransactionSql) => Promise<T>,
  claims: Record<string, unknown> = {},
): Promise<T> {
  return as(sql, "authenticated", { sub: userId, ...claims }, work);
}
