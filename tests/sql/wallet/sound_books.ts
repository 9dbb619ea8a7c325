import { assertEquals } from "@std/assert";
import type { ISql } from "postgres";
import { balanceOf, driftOf } from "./wallets.ts";

/** How many of an account's moments are looked back at. */
const MOMENTS = 6;

/** Fails unless the books balance, follow from their entries, kept every guard at every moment, and tell the same however they are asked. */
export async function assertBooksAreSound(sql: ISql, accounts: readonly string[]): Promise<void> {
  assertEquals(await driftOf(sql), []);
  const [run] = await sql`select private.verify_wallet_ledger()::int as findings`;
  assertEquals(run!.findings, 0);
  const uneven = await sql`select currency from public.wallet_entries group by currency having sum(amount) <> 0`;
  assertEquals([...uneven], [], "the entries of a currency do not sum to zero");
  const crooked = await sql`select currency from public.wallet_trial_balance where code is null and debit <> credit`;
  assertEquals([...crooked], [], "the trial balance does not balance");
  const broken = await sql`
    select from public.wallet_entries as entry join public.wallet_accounts as account on account.id = entry.account_id
    where entry.balance < account.minimum_balance or entry.balance > account.maximum_balance`;
  assertEquals(broken.length, 0, "an account was beyond its guards for a moment");
  for (const account of accounts) await assertAccountTellsOneStory(sql, account);
}

/** Statement, entries and balances of the past are one, and every stretch of the statement closes. */
async function assertAccountTellsOneStory(sql: ISql, account: string): Promise<void> {
  const lines = await sql`
    select booked_at::text, amount::int, balance::int from public.wallet_statement(${account}, max_count => 1000)`;
  const [replay] = await sql`
    select count(*)::int, coalesce(sum(entry.amount * case account.normal_side when 'debit' then -1 else 1 end), 0)::int as sum
    from public.wallet_entries as entry join public.wallet_accounts as account on account.id = entry.account_id
    where entry.account_id = ${account}`;
  assertEquals(lines.length, Math.min(1_000, replay!.count));
  if (lines.length < 1_000) assertEquals(await balanceOf(sql, account), replay!.sum);

  const moments = lines.filter((line, index) => line.booked_at !== lines[index + 1]?.booked_at);
  const step = Math.ceil(moments.length / MOMENTS);
  for (const { booked_at, balance } of moments.filter((_, index) => index % step === 0)) {
    assertEquals(await balanceOf(sql, account, booked_at), balance, "the past is not what the statement says");
    const [rest] = await sql`
      select coalesce(sum(amount), 0)::int as sum
      from public.wallet_statement(${account}, ${booked_at}::text::timestamptz + interval '1 microsecond', max_count => 1000)`;
    if (lines.length < 1_000) assertEquals(balance + rest!.sum, replay!.sum, "the statement does not close");
  }
}
