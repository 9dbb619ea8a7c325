import type { TransactionSql } from "postgres";
import type { BoundedCalls } from "./case.ts";

/** Every call of the wallet that ends at a partitioned table. */
export const WALLET: BoundedCalls = {
  "private.record_wallet_news": async (sql) => {
    await transferred(sql);
    await sql`select private.record_wallet_news()`;
  },
  "public.wallet_adjust": async (sql) => {
    const [from, to] = await wallets(sql);
    const legs = JSON.stringify([{ account_id: from, amount: -5 }, { account_id: to, amount: 5 }]);
    await twice(() => sql`select public.wallet_adjust(${legs}::text::jsonb, 'tried', ${crypto.randomUUID()})`);
  },
  "public.set_wallet_status": async (sql) => {
    const { account } = await transferred(sql);
    await sql`select public.set_wallet_status(${account}, 'frozen', 'tried')`;
  },
  "public.wallet_balance": async (sql) => {
    const { account } = await transferred(sql);
    await sql`select public.wallet_balance(${account}, now())`;
    await sql`select public.wallet_balance(${account}, now() - interval '4 years')`;
  },
  "public.wallet_capture": async (sql) => {
    const [from, to] = await wallets(sql);
    await twice(async () => {
      const [held] = await sql`select public.wallet_hold(${from!}, 5, ${crypto.randomUUID()}, ${to!}) ->> 'id' as id`;
      await sql`select public.wallet_capture(${held!.id}, ${crypto.randomUUID()})`;
    });
  },
  "public.wallet_drift": async (sql) => {
    await transferred(sql);
    await sql`insert into public.wallet_verifications (started_at, finished_at, entry_count, finding_count, findings)
      values (now(), now(), 0, 0, '[]')`;
    await sql`select * from public.wallet_drift`;
  },
  "public.wallet_health": async (sql) => {
    await transferred(sql);
    await sql`insert into public.wallet_verifications (started_at, finished_at, entry_count, finding_count, findings)
      values (now(), now(), 0, 0, '[]')`;
    await sql`select * from public.wallet_health`;
  },
  "public.wallet_refund": async (sql) => {
    const { transaction } = await transferred(sql);
    await twice(() => sql`select public.wallet_refund(${transaction}, ${crypto.randomUUID()}, 1)`);
  },
  "public.wallet_reverse": async (sql) => {
    const { transaction } = await transferred(sql);
    await sql`select public.wallet_reverse(${transaction}, 'key', 'tried')`;
  },
  "public.wallet_statement": async (sql) => {
    const { account } = await transferred(sql);
    for (const isNewestFirst of [false, true]) {
      await sql`select public.wallet_statement(${account}, now() - interval '5 years', is_newest_first => ${isNewestFirst})`;
    }
  },
  "public.wallet_statement_csv": async (sql) => {
    const { account } = await transferred(sql);
    await sql`select public.wallet_statement_csv(${account}, now() - interval '5 years', now() + interval '1 day')`;
  },
  "public.wallet_transfer": async (sql) => {
    const { repeat } = await transferred(sql);
    await sql`delete from public.idempotency_keys`;
    await repeat();
  },
};

async function wallets(sql: TransactionSql): Promise<string[]> {
  const accounts = await sql<{ id: string }[]>`
    with opened as (insert into public.profiles (locale) values ('rw'), ('rw') returning id)
    select (public.open_wallet_account('RWF', opened.id)).id from opened`;
  const [from] = accounts;
  await sql`select private.post_wallet_transaction('deposit', array[
    (private.get_platform_account('settlement:probe', 'RWF'), -1000, null), (${from!.id}, 1000, null)
  ]::private.wallet_leg[], 'probe', ${crypto.randomUUID()})`;
  return accounts.map(({ id }) => id);
}

async function transferred(sql: TransactionSql) {
  const [from, to] = await wallets(sql);
  const repeat = () => sql`select public.wallet_transfer(${from!}, ${to!}, 100, 'fare') ->> 'transaction_id' as id`;
  const [posted] = await repeat();
  return { account: from!, transaction: posted!.id as string, repeat };
}

async function twice(work: () => Promise<unknown>): Promise<void> {
  await work();
  await work();
}
