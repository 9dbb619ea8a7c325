import type { ISql } from "postgres";
import type { TransactionSql } from "postgres";
import { asUser } from "../foundation/people.ts";

/** What callers are told of a transaction, or the problem that they were refused with. */
export interface Answer {
  id: string;
  status: string;
  type: string;
  amount: number;
  refunded_amount: number;
  reference: string;
  next_action: Record<string, string> | null;
  failure_code: string | null;
  phone: string | null;
  code?: string;
}

/** What is asked for; by default a payment of 1,000 francs by MTN MoMo from a number that nobody has confirmed. */
export interface Wish {
  type: string;
  amount: number;
  currency: string;
  method: string;
  key: string;
  to: string | null;
  from: string | null;
  phone: string | null;
}

export async function create(sql: ISql, wish: Partial<Wish>): Promise<Answer> {
  const { type = "payment", amount = 1_000, currency = "RWF", method = "mtn_momo", key = crypto.randomUUID() } = wish;
  const { to = null, from = null, phone = method === "mtn_momo" ? "+250788999123" : null } = wish;
  const [row] = await sql`
    select public.create_transaction(
      ${type}::text::public.transaction_type, ${amount}, ${currency}, ${method}, ${key}, ${to}, ${from}, ${phone}
    ) as answer`;
  return row!.answer;
}

export async function createAs(sql: TransactionSql, userId: string, wish: Partial<Wish>): Promise<Answer> {
  return await asUser(sql, userId, (sql) => create(sql, wish));
}

/** A provider's word on an attempt; by default that MTN has charged what was asked for. */
export interface Signal {
  kind: string;
  status: string;
  provider_id: string | null;
  amount: number | null;
  currency: string | null;
  failure_code: string | null;
  evidence: string | null;
}

export async function signal(
  sql: ISql,
  transactionId: string,
  said: Partial<Signal> = {},
): Promise<{ outcome: string; transaction: Answer }> {
  const attempt = await attemptOf(sql, transactionId);
  const signal = {
    kind: attempt.kind,
    status: "succeeded",
    provider_id: `mtn-${attempt.id}`,
    amount: attempt.amount,
    currency: attempt.currency,
    failure_code: null,
    evidence: "api",
    ...said,
  };
  const [row] = await sql`select public.record_payment_signal(${attempt.id}, ${sql.json(signal)}) as answer`;
  return row!.answer;
}

export async function attemptOf(sql: ISql, transactionId: string) {
  const [row] = await sql`
    select id, kind, status, amount::float8, currency, provider_id, check_count, extract(epoch from next_check_at - now())::float8 as due_in
    from public.payment_attempts where transaction_id = ${transactionId}`;
  return row as {
    id: string;
    kind: string;
    status: string;
    amount: number;
    currency: string;
    provider_id: string | null;
    check_count: number;
    due_in: number | null;
  };
}

export async function start(sql: ISql, transactionId: string) {
  const [row] = await sql`select public.start_payment_attempt(${transactionId}) as answer`;
  return row!.answer as { attempt?: Record<string, unknown>; lease_token?: number; answer?: Answer };
}

export async function refund(
  sql: ISql,
  transactionId: string,
  amount: number | null = null,
  key: string = crypto.randomUUID(),
): Promise<Answer> {
  const [row] = await sql`select public.create_refund(${transactionId}, ${key}, ${amount}, 'trip cancelled') as answer`;
  return row!.answer;
}

export async function statusOf(sql: ISql, transactionId: string): Promise<string> {
  const [row] = await sql`select status from public.transactions where id = ${transactionId}`;
  return row!.status;
}

/** The path of a transaction, as its events tell it. */
export async function pathOf(sql: ISql, transactionId: string): Promise<string[]> {
  const rows = await sql`
    select to_status from public.transaction_events where transaction_id = ${transactionId} order by id`;
  return rows.map((row) => row.to_status);
}

export async function reviewsOf(sql: ISql, transactionId: string) {
  return await sql`
    select id, kind, status, amount::float8, wallet_transaction_id is not null as is_suspended
    from public.payment_reviews where transaction_id = ${transactionId} order by id`;
}

/** What is left in suspense, on its normal side. */
export async function suspenseOf(sql: ISql, currency = "RWF"): Promise<number> {
  const [row] = await sql`
    select coalesce(sum(head.balance), 0)::float8 as balance
    from public.wallet_accounts as account
    join public.wallet_balances as head on head.account_id = account.id
    where account.code = 'suspense' and account.currency = ${currency}`;
  return row!.balance;
}

export async function transactionsOf(sql: ISql): Promise<number> {
  const [row] = await sql`select count(*)::integer as count from public.transactions`;
  return row!.count;
}
