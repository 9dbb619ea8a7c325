import type { ISql, TransactionSql } from "postgres";
import { asUser, createUser } from "../foundation/people.ts";
import { create, signal } from "../payments/payments.ts";

/** Where the period of every test begins; it ends when the test reconciles first. */
export const FROM = new Date(Date.now() - 3_600_000);
export const HEAD = "provider_id,reference,occurred_at,amount,fee,phone";
const periods = new WeakMap<object, string>();

/** A payment of 1,000 francs that MTN has charged under that id. */
export async function paid(sql: ISql, to: string, providerId: string) {
  const payment = await create(sql, { to });
  await signal(sql, payment.id, { provider_id: providerId });
  return payment;
}

export async function operator(sql: TransactionSql): Promise<string> {
  const userId = await createUser(sql);
  await sql`insert into private.operators (user_id, reason) values (${userId}, 'on call')`;
  return userId;
}

/** Runs `work` as an operator who signed in. */
export function asOperator<T>(sql: TransactionSql, userId: string, work: (sql: TransactionSql) => Promise<T>) {
  return asUser(sql, userId, work, { app_metadata: { role: "operator" } });
}

/** A minute ago: before the period of every test is over. */
export function now(): string {
  return new Date(FROM.getTime() + 3_540_000).toISOString();
}

/** What a statement is read as; by default a plain one of MTN in francs. */
export interface Statement {
  provider: string;
  currency: string;
  format: string;
  opening: number | null;
  closing: number | null;
}

export async function reconcile(sql: ISql, csv: string | null, statement: Partial<Statement> = {}): Promise<string> {
  const { provider = "mtn_momo", currency = "RWF", format = "plain", opening = null, closing = null } = statement;
  const [row] = await sql`
    select public.reconcile_provider_statement(
      ${provider}::text::public.payment_provider, ${currency}, ${FROM}, ${await periodOf(
    sql,
  )}::text::timestamptz, ${csv},
      format => ${format}, opening_balance => ${opening}, closing_balance => ${closing}
    ) as id`;
  return row!.id;
}

async function periodOf(sql: ISql): Promise<string> {
  const [clock] = await sql`select clock_timestamp()::text as now`;
  const known = periods.get(sql) ?? clock!.now;
  periods.set(sql, known);
  return known;
}

export async function classesOf(sql: ISql, run: string) {
  const rows = await sql`
    select provider_ids[1] as id, class, booked_amount::float8 as booked from public.reconciliation_items
    where reconciliation_id = ${run} order by line_number nulls last, id`;
  return rows.map(({ id, class: found, booked }) => [id, found, booked]);
}

export async function unexplained(sql: ISql, run: string): Promise<number[]> {
  const rows = await sql`select amount::float8 from public.reconciliation_report(${run}) where name = 'unexplained'`;
  return rows.map(({ amount }) => amount);
}
