import type { TransactionSql } from "postgres";
import { create, refund, signal, start } from "../../sql/payments/payments.ts";
import type { BoundedCalls } from "./case.ts";

/** Every call of payments that ends at a partitioned table. */
export const PAYMENTS: BoundedCalls = {
  "private.expire_transactions": async (sql) => {
    await payment(sql);
    await sql`select private.expire_transactions()`;
  },
  "private.review_stuck_payments": async (sql) => {
    await payment(sql);
    await sql`update public.payment_attempts set created_at = now() - interval '4 days'`;
    await sql`select private.review_stuck_payments()`;
  },
  "public.cancel_transaction": async (sql) => {
    const id = await payment(sql);
    await sql`select public.cancel_transaction(${id})`;
  },
  "public.claim_payment_attempts": async (sql) => {
    await payment(sql);
    await sql`update public.payment_attempts set next_check_at = now()`;
    await sql`select * from public.claim_payment_attempts()`;
  },
  "public.create_refund": async (sql) => {
    const id = await payment(sql);
    await signal(sql, id);
    await refund(sql, id, 500);
  },
  "public.create_transaction": async (sql) => {
    const to = await wallet(sql);
    for (let time = 0; time < 2; time++) {
      await create(sql, { to, key: "fare" });
      await sql`delete from public.idempotency_keys`;
    }
  },
  "public.get_transaction": async (sql) => {
    const id = await payment(sql);
    await sql`select public.get_transaction(${id})`;
  },
  "public.list_transactions": async (sql) => {
    await create(sql, { type: "top_up", to: await wallet(sql) });
    await sql`select public.list_transactions(max_count => 1)`;
    await sql`
      select public.list_transactions(max_count => 1, profile_id => account.profile_id)
      from public.wallet_accounts as account where account.profile_id is not null`;
  },
  "public.record_payment_signal": async (sql) => {
    const id = await payment(sql);
    for (const said of [{ status: "processing" }, {}, {}, { amount: 5 }]) await signal(sql, id, said);
  },
  "public.resolve_payment_review": async (sql) => {
    await signal(sql, await payment(sql), { amount: 5 });
    await sql`
      select public.resolve_payment_review(review.id, 'refund', 'given back') from public.payment_reviews as review`;
  },
  "public.start_payment_attempt": async (sql) => {
    await start(sql, await payment(sql));
  },
  "public.transaction_summary": async (sql) => {
    await payment(sql);
    await sql`select * from public.transaction_summary`;
  },
  "public.update_transaction_status": async (sql) => {
    const id = await payment(sql);
    await sql`select public.update_transaction_status(${id}, 'failed', 'tried')`;
  },
  "public.user_recent_transactions": async (sql) => {
    await payment(sql);
    await sql`select * from public.user_recent_transactions`;
  },
};

async function payment(sql: TransactionSql): Promise<string> {
  return (await create(sql, { to: await wallet(sql) })).id;
}

async function wallet(sql: TransactionSql): Promise<string> {
  const [account] = await sql`
    with opened as (insert into public.profiles (locale) values ('rw') returning id)
    select (public.open_wallet_account('RWF', opened.id)).id from opened`;
  return account!.id;
}
