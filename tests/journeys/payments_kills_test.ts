import { assert, assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { DOUBTS } from "../../scripts/fakes/graph/choose_misbehaviour.ts";
import { LASTING_ANSWERS } from "../../scripts/fakes/graph/misbehaviour.ts";
import type { FakeMomo } from "../../scripts/fakes/momo/fake_momo.ts";
import type { MomoCourse, MomoEntry } from "../../scripts/fakes/momo/momo_books.ts";
import { random } from "../../scripts/fakes/random.ts";
import { create, refund } from "../sql/payments/payments.ts";
import { openWallet } from "../sql/wallet/wallets.ts";
import { type Paying, payingTest } from "../support/paying.ts";
import { bundled, startAndKill } from "../support/killed_process.ts";

const KILLS = 40;
/** Between two of them callbacks come and payers are given up. */
const STORMS = 4;
const PROCESSES = 3;
const PHONE = "+250788000001";

const dice = random(1);
const doubts = DOUBTS.filter(({ answer }) => !LASTING_ANSWERS.includes(answer));

/** What payers do: most pay, some cannot or will not, some take very long; now and then MTN moves another amount. */
function course(): MomoCourse {
  const outcome = dice.chance(0.25) ? { reason: dice.pick(["NOT_ENOUGH_FUNDS", "APPROVAL_REJECTED", "EXPIRED"]) } : {};
  const moved = dice.chance(0.1) ? { movedAmount: "7" } : {};
  return { ...outcome, ...moved, afterMs: dice.pick([0, 20, 200, Infinity]) };
}

/** Lets every attempt be due and every lease be over, also those that somebody holds: two may ask about the same. */
async function passTime(sql: Sql): Promise<void> {
  await sql`
    update public.payment_attempts set next_check_at = now() - interval '1 second', leased_until = null
    where status <> 'ended' and id in (select id from public.payment_attempts for no key update skip locked)`;
}

/** More payments to a driver, and payouts from another's wallet. */
async function askForMore({ sql }: Paying, driver: string, saver: string, count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    const amount = dice.between(200, 2_000);
    if (dice.chance(0.2)) await create(sql, { type: "payout", from: saver, phone: PHONE, amount });
    else await create(sql, { to: driver, phone: PHONE, amount });
  }
}

/** Gives part of some payments back. */
async function refundSome({ sql }: Paying): Promise<void> {
  const paid = await sql`
    select id, amount::int from public.transactions where type = 'payment' and status = 'succeeded' and refunded_amount = 0`;
  for (const { id, amount } of paid) {
    if (dice.chance(0.4)) await refund(sql, id, dice.between(1, amount));
  }
}

/** Kills so many workers, some at the same time, while there is always something due. */
async function killInTurn(paying: Paying, count: number, kill: () => Promise<void>): Promise<void> {
  let left = count;
  async function again(): Promise<void> {
    while (left-- > 0) await kill();
  }
  async function keepDue(): Promise<void> {
    while (left > 0) {
      await passTime(paying.sql);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  await Promise.all([keepDue(), ...Array.from({ length: PROCESSES }, again)]);
}

/** Callbacks of what is decided come, some of them often; payers who took too long are given up. */
async function letThingsHappen({ sql, momo }: Paying): Promise<void> {
  await momo.callbacks.deliver({ copies: dice.between(1, 5), shuffled: true });
  const late = await sql`
    select id from public.transactions where type = 'payment' and status in ('pending', 'processing') order by id limit 3`;
  for (const { id } of late) await sql`select public.update_transaction_status(${id}, 'expired', 'nobody approved')`;
}

/** Until the worker has heard the end of everything; what we had given up is looked after further, should money still come. */
async function settle(paying: Paying): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    await passTime(paying.sql);
    await paying.work();
    paying.momo.books.decide();
    const [open] = await paying.sql`
      select count(*)::int from public.payment_attempts
      where status <> 'ended' and coalesce(last_signal ->> 'status', '') not in ('failed', 'cancelled', 'expired')`;
    if (open!.count === 0) return;
  }
  throw new Error("The worker does not come to an end.");
}

interface Outcome {
  attempt_id: string;
  status: string;
  amount: number;
  kind: string;
  posted: number;
  successes: number;
  suspended: number | null;
}

async function outcomesOf(sql: Sql): Promise<Outcome[]> {
  return await sql`
    select attempt.id as attempt_id, attempt.kind, stored.status, stored.amount::int,
      (select count(*)::int from public.wallet_transactions as posting
        where posting.source = 'payment' and posting.reference = stored.id::text) as posted,
      (select count(*)::int from public.transaction_events as event
        where event.transaction_id = stored.id and event.to_status = 'succeeded') as successes,
      (select sum(review.amount)::int from public.payment_reviews as review
        where review.transaction_id = stored.id and review.wallet_transaction_id is not null) as suspended
    from public.transactions as stored
    join public.payment_attempts as attempt on attempt.transaction_id = stored.id
    order by attempt.id`;
}

/** What MTN's books say of an attempt, in the words of ours. */
function expectation(entry: MomoEntry | undefined, outcome: Outcome, momo: FakeMomo): Partial<Outcome> {
  const status = entry ? momo.books.statusOf(entry) : "NEVER";
  if (status === "SUCCESSFUL" && entry!.course.movedAmount !== undefined) {
    const moved = Number(entry!.course.movedAmount) * (outcome.kind === "charge" ? 1 : -1);
    return { status: "unknown", posted: 0, successes: 0, suspended: moved };
  }
  if (status === "SUCCESSFUL") return { status: "succeeded", posted: 1, successes: 1, suspended: null };
  const ends = entry?.course.reason === "EXPIRED" || !entry || outcome.status === "expired" ? "expired" : "failed";
  return { status: ends, posted: 0, successes: 0, suspended: null };
}

/** What MTN holds for us, by our ledger. */
async function settlementOf(sql: Sql): Promise<number> {
  const [line] = await sql`
    select (debit - credit)::int as balance from public.wallet_trial_balance
    where currency = 'RWF' and code = 'settlement:mtn_momo'`;
  return line!.balance;
}

payingTest(
  "workers that are killed again and again make each payment once, and our books agree with MTN's",
  { latencyMs: 5, course, misbehave: () => dice.chance(0.15) ? dice.pick(doubts) : undefined },
  async (paying) => {
    const { sql, momo, settings } = paying;
    // A killed run holds its slot until the lease ends; here many are killed within one.
    await sql`insert into private.worker_runs (slot) select generate_series(5, 500)`;
    const driver = await openWallet(sql);
    const saver = await openWallet(sql, { balance: 1_000_000 });
    await using script = await bundled(new URL("./payer_process.ts", import.meta.url));

    for (let storm = 0; storm < STORMS; storm++) {
      await askForMore(paying, driver, saver, 30);
      await killInTurn(paying, KILLS / STORMS, () => startAndKill(script.path, settings, 60));
      await letThingsHappen(paying);
      await passTime(sql);
      await paying.work();
      await refundSome(paying);
    }
    momo.books.decide();
    await momo.callbacks.deliver({ copies: 3, shuffled: true });
    await settle(paying);

    const outcomes = await outcomesOf(sql);
    const wrong = outcomes.filter((outcome) => {
      const expected = expectation(momo.books.entries.get(outcome.attempt_id), outcome, momo);
      return Object.entries(expected).some(([name, value]) => outcome[name as keyof Outcome] !== value);
    });
    assertEquals(wrong, []);
    assertEquals(await settlementOf(sql), momo.books.balance("RWF"));
    assertEquals([...await sql`select * from public.wallet_drift`], []);
    const kinds = new Set(outcomes.map(({ kind, status }) => `${kind} ${status}`));
    const expected = ["charge succeeded", "charge failed", "charge unknown", "payout succeeded", "refund succeeded"];
    assertEquals(expected.filter((kind) => !kinds.has(kind)), []);
    const asked = momo.requests.filter((request) => /^POST .*(requesttopay|transfer|refund)$/.test(request));
    assert(asked.length > momo.books.entries.size, "requests were repeated");
  },
);
