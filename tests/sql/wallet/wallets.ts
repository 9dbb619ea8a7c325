import type { ISql, TransactionSql } from "postgres";
import { asUser, createUser } from "../foundation/people.ts";

let people = 0;

/** A person's wallet, opened as the service does. */
export async function openWallet(sql: ISql, options: Partial<Opening> = {}): Promise<string> {
  const { balance = 0, currency = "RWF", userId = null, isBusy = false, tier = "business" } = options;
  const phone = `+2507${String(88_000_000 + ++people)}`;
  const [profile] = await sql`insert into public.profiles (user_id, phone) values (${userId}, ${phone}) returning id`;
  const [account] = await sql`
    select id from public.open_wallet_account(${currency}, ${profile!.id}, is_busy => ${isBusy})`;
  if (tier !== "basic") await sql`select public.set_wallet_tier(${account!.id}, ${tier})`;
  if (balance > 0) await deposit(sql, account!.id, balance, currency);
  return account!.id;
}

/** What an account may begin with; by default nothing of it, and the widest limits. */
export interface Opening {
  balance: number;
  currency: string;
  userId: string | null;
  isBusy: boolean;
  tier: string;
}

/** Somebody who can sign in, with a wallet. */
export async function openOwnWallet(sql: TransactionSql, balance = 0): Promise<{ userId: string; accountId: string }> {
  const userId = await createUser(sql);
  return { userId, accountId: await openWallet(sql, { balance, userId }) };
}

/** Money that comes in through a provider. */
export async function deposit(sql: ISql, accountId: string, amount: number, currency = "RWF"): Promise<void> {
  const settlement = await platformAccount(sql, "settlement:test", currency);
  await post(sql, "deposit", [[settlement, -amount], [accountId, amount]]);
}

export async function platformAccount(sql: ISql, code: string, currency = "RWF"): Promise<string> {
  const [row] = await sql`select private.get_platform_account(${code}, ${currency}) as id`;
  return row!.id;
}

/** An account and what it is credited with, or below zero debited. */
export type Leg = readonly [accountId: string, amount: number | string];

/** Posts through the one door, as other parts do; gives the transaction's id. */
export async function post(
  sql: ISql,
  kind: string,
  legs: readonly Leg[],
  reference: string = crypto.randomUUID(),
): Promise<string> {
  const [row] = await sql`
    select transaction_id from private.post_wallet_transaction(
      ${kind}::public.wallet_transaction_kind,
      array(
        select (account_id, amount, null)::private.wallet_leg
        from unnest(${legs.map(([id]) => id)}::uuid[], ${legs.map(([, amount]) => String(amount))}::bigint[])
          with ordinality as leg (account_id, amount, place)
        order by place
      ),
      'test', ${reference}
    )`;
  return row!.transaction_id;
}

/** What a caller of a function on money is given: its answer, or the problem that it was refused with. */
export interface Answer {
  transaction_id?: string;
  amount?: number;
  balance?: number;
  id?: string;
  code?: string;
  details?: string;
}

export async function transfer(
  sql: ISql,
  from: string,
  to: string,
  amount: number | string,
  key: string = crypto.randomUUID(),
): Promise<Answer> {
  const [row] = await sql`select public.wallet_transfer(${from}, ${to}, ${amount}, ${key}) as answer`;
  return row!.answer;
}

export async function transferAs(
  sql: TransactionSql,
  userId: string,
  from: string,
  to: string,
  amount: number,
  key: string = crypto.randomUUID(),
): Promise<Answer> {
  return await asUser(sql, userId, (sql) => transfer(sql, from, to, amount, key));
}

export async function hold(
  sql: ISql,
  accountId: string,
  amount: number,
  options: { key?: string; to?: string; seconds?: number } = {},
): Promise<Answer> {
  const { key = crypto.randomUUID(), to = null, seconds = 3600 } = options;
  const [row] = await sql`select public.wallet_hold(${accountId}, ${amount}, ${key}, ${to}, ${seconds}) as answer`;
  return row!.answer;
}

export async function capture(
  sql: ISql,
  holdId: string,
  options: { amount?: number; to?: string; key?: string } = {},
): Promise<Answer> {
  const { key = crypto.randomUUID(), amount = null, to = null } = options;
  const [row] = await sql`select public.wallet_capture(${holdId}, ${key}, ${amount}, ${to}) as answer`;
  return row!.answer;
}

export async function refund(
  sql: ISql,
  transactionId: string,
  amount: number | null = null,
  key: string = crypto.randomUUID(),
): Promise<Answer> {
  const [row] = await sql`select public.wallet_refund(${transactionId}, ${key}, ${amount}) as answer`;
  return row!.answer;
}

/** Balance, held and available of an account, on its normal side. */
export async function standingOf(sql: ISql, accountId: string): Promise<[number, number, number]> {
  const [row] = await sql`
    select balance::float8, held::float8, available::float8 from public.wallet_balance(${accountId})`;
  return [row!.balance, row!.held, row!.available];
}

export async function balanceOf(sql: ISql, accountId: string, at: Date | string | null = null): Promise<number> {
  // As text, because the driver would cut a time to milliseconds.
  const moment = at instanceof Date ? at.toISOString() : at;
  const [row] =
    await sql`select balance::float8 from public.wallet_balance(${accountId}, ${moment}::text::timestamptz)`;
  return row!.balance;
}

/** The code that the database refuses `work` with. */
export async function refusalOf(sql: TransactionSql, work: (sql: TransactionSql) => Promise<unknown>): Promise<string> {
  try {
    await sql.savepoint(work);
  } catch (error) {
    const message = (error as Error).message;
    return message.startsWith("{") ? JSON.parse(message).code : String((error as { code?: string }).code);
  }
  return "accepted";
}

/** What does not fit in the books: nothing, or something is broken. */
export async function driftOf(sql: ISql): Promise<string[]> {
  const rows = await sql`select problem from public.wallet_drift`;
  return rows.map(({ problem }) => problem);
}
