import { assertEquals, assertMatch } from "@std/assert";
import * as fc from "fast-check";
import type { Sql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { feeOf, refundParts } from "./ledger_model.ts";
import { assertBooksAreSound } from "./sound_books.ts";
import { type Answer, capture, hold, openWallet, platformAccount, post, refund, transfer } from "./wallets.ts";

const database = await createTestDatabase();
const CONNECTIONS = 4;
const TRANSFER_FEE = 100;
const PAYMENT_FEE = 150;
const MAXIMUM = 4_500;
/** What a request of the test may be refused for; idempotency_key_in_use: its twin is being answered just then; invalid_argument: a part of an exchange. */
const GOOD_REASONS =
  /^(insufficient_funds|wallet_balance_too_high|wallet_hold_(ended|exceeded)|wallet_refund_exceeded|idempotency_key_in_use|invalid_argument)$/;
/** Commands are about what was made last, so that they meet. */
const LAST = 4;

const number = fc.nat({ max: 1_000 });
const type = fc.constantFrom(
  ...["transfer", "transfer", "transfer", "exchange", "hold", "hold", "hold", "capture", "capture", "release"],
  ...[
    "refund",
    "refund",
    "refund",
    "reverse",
    "repeat",
    "repeat",
    "twice",
    "twice",
    "race",
    "race",
    "forget",
    "lapse",
    "sweep",
  ],
);
const commands = fc.array(fc.record({ type, one: number, two: number, amount: fc.nat({ max: 600 }) }), {
  minLength: 200,
  maxLength: 400,
});
type Command = typeof commands extends fc.Arbitrary<(infer T)[]> ? T : never;
type Attempt = (sql: Sql) => Promise<void>;

/** What a transaction did to each account on the whole. */
type Net = Record<string, number>;

/** What was accepted, by what it is known by: the same however often it was sent. */
interface Effects {
  payments: Map<string, Net>;
  holds: Map<string, { account: string; to: string; amount: number; ends: Set<string> }>;
  refunds: Map<string, { payment: string; amount: number | null }>;
  sent: Attempt[];
}

/** Who takes part: wallets in francs, ours for fees and for either side of an exchange, a wallet in dollars. */
interface Parties {
  wallets: string[];
  fees: string;
  exchange: [francs: string, dollars: string];
  traveller: string;
}

Deno.test("random histories over four connections leave sound books, without a deadlock", async () => {
  const sql = connect(database.url, { max: CONNECTIONS });
  const lanes = Array.from({ length: CONNECTIONS }, () => connect(database.url));
  await sql`select public.set_wallet_fee('transfer', 'RWF', 'sender', ${TRANSFER_FEE})`;
  await sql`select public.set_wallet_fee('payment', 'RWF', 'receiver', ${PAYMENT_FEE})`;
  try {
    await fc.assert(
      fc.asyncProperty(commands, async (commands) => {
        const parties = await openParties(sql);
        const accounts = [...parties.wallets, parties.fees, ...parties.exchange, parties.traveller];
        const expected: Net = {};
        for (const account of accounts) expected[account] = await creditsOf(sql, account);
        const effects: Effects = { payments: new Map(), holds: new Map(), refunds: new Map(), sent: [] };

        await Promise.all(lanes.map(async (lane, index) => {
          for (const command of commands.filter((_, place) => place % CONNECTIONS === index)) {
            const attempt = attemptOf(command, parties, effects);
            if (attempt === undefined) continue;
            effects.sent.push(attempt);
            // An impatient client sends again before it has its answer; two clients want the same at once.
            const other = { twice: attempt, race: attemptOf(command, parties, effects) }[command.type];
            await Promise.all([attempt(lane), other?.(sql)]);
          }
        }));

        await applyAll(sql, expected, effects);
        for (const account of accounts) assertEquals(await creditsOf(sql, account), expected[account]);
        await assertHoldsEndedAsTold(sql, effects);
        await assertBooksAreSound(sql, accounts);
      }),
      { numRuns: 12, endOnFailure: true },
    );
  } finally {
    await Promise.all([sql, ...lanes].map((sql) => sql.end()));
  }
});

/** Credits less debits, all shards together. */
async function creditsOf(sql: Sql, account: string): Promise<number> {
  const [row] =
    await sql`select sum(balance)::float8 as credits from public.wallet_balances where account_id = ${account}`;
  return row!.credits;
}

async function openParties(sql: Sql): Promise<Parties> {
  const wallets = [];
  for (const balance of [4_000, 3_000, 0, 500]) {
    const wallet = await openWallet(sql, { balance, isBusy: balance === 0 });
    await sql`select public.set_wallet_guards(${wallet}, 0, ${MAXIMUM})`;
    wallets.push(wallet);
  }
  return {
    wallets,
    fees: await platformAccount(sql, "fees"),
    exchange: [await platformAccount(sql, "exchange"), await platformAccount(sql, "exchange", "USD")],
    traveller: await openWallet(sql, { currency: "USD" }),
  };
}

/** What to send for a command, if there is something to send it about. */
function attemptOf(command: Command, parties: Parties, effects: Effects): Attempt | undefined {
  const { one, two } = command;
  const [amount, key] = [command.amount + 1, crypto.randomUUID()];
  const from = parties.wallets[one % 4]!;
  const others = [...parties.wallets, parties.fees].filter((id) => id !== from);
  const to = others[two % others.length]!;
  const attempts: Record<string, () => Attempt | undefined> = {
    transfer: () => transferring(effects, parties, { from, to, amount, key }),
    twice: () => attempts[["transfer", "hold", "capture", "refund"][two % 4]!]!(),
    race: () => attempts[["refund", "reverse", "capture", "release"][two % 4]!]!(),
    exchange: () => exchanging(effects, parties, { from, amount, key }),
    hold: () =>
      accepting(async (sql) => told(await hold(sql, from, amount, { to, key })).id, (id) => {
        if (!effects.holds.has(id)) effects.holds.set(id, { account: from, to, amount, ends: new Set() });
      }),
    capture: () => pick(effects.holds, one, (id) => capturing(effects, parties, { id, amount, key })),
    release: () =>
      pick(effects.holds, one, (id) => async (sql) => {
        const released = await unlessRefused(() => sql`select public.wallet_release(${id})`);
        if (released) effects.holds.get(id)!.ends.add("released");
      }),
    // As if its time were over: whoever needs the money lets it go, or the sweep does.
    lapse: () =>
      pick(effects.holds, one, (id) => async (sql) => {
        const lapsed = await sql`
          update public.wallet_holds set created_at = now() - interval '2 hours', expires_at = now() - interval '1 hour'
          where id = ${id} and status = 'held' returning id`;
        if (lapsed.length > 0) effects.holds.get(id)!.ends.add("lapsed");
      }),
    sweep: () => async (sql) => void await sql`select private.expire_wallet_holds()`,
    refund: () =>
      pick(effects.payments, one, (payment) => refunding(effects, payment, { amount: 1 + amount % 150, key })),
    reverse: () => pick(effects.payments, one, (payment) => refunding(effects, payment, { amount: null, key })),
    repeat: () => effects.sent.slice(-2 * LAST)[one % (2 * LAST)],
    // As if a day had gone by: the stored answers are gone, the ledger's keys are not.
    forget: () => async (sql) => void await sql`delete from public.idempotency_keys`,
  };
  return attempts[command.type]!();
}

function transferring(
  effects: Effects,
  { fees }: Parties,
  { from, to, amount, key }: { from: string; to: string; amount: number; key: string },
): Attempt {
  const fee = feeOf(amount, TRANSFER_FEE);
  return accepting(
    async (sql) => told(await transfer(sql, from, to, amount, key)).transaction_id,
    (id) => effects.payments.set(id, sumOf([[from, -amount], [to, amount], [from, -fee], [fees, fee]])),
  );
}

function exchanging(
  effects: Effects,
  { exchange: [francs, dollars], traveller }: Parties,
  { from, amount, key }: { from: string; amount: number; key: string },
): Attempt {
  const legs: [string, number][] = [[traveller, 2 * amount], [francs, amount], [from, -amount], [dollars, -2 * amount]];
  return accepting((sql) => post(sql, "exchange", legs, key), (id) => effects.payments.set(id, sumOf(legs)));
}

function capturing(
  effects: Effects,
  { fees }: Parties,
  { id: held, amount, key }: { id: string; amount: number; key: string },
): Attempt {
  const { account, to, amount: most, ends } = effects.holds.get(held)!;
  const part = Math.min(amount, most);
  const fee = feeOf(part, PAYMENT_FEE);
  return accepting(async (sql) => told(await capture(sql, held, { amount: part, key })).transaction_id, (id) => {
    ends.add("captured");
    effects.payments.set(id, sumOf([[account, -part], [to, part], [to, -fee], [fees, fee]]));
  });
}

/** A refund of an amount; the reversal of all without one. */
function refunding(
  effects: Effects,
  payment: string,
  { amount, key }: { amount: number | null; key: string },
): Attempt {
  return accepting(async (sql) => {
    const answer: Answer = amount === null
      ? (await sql`select public.wallet_reverse(${payment}, ${key}, 'wrong') as answer`)[0]!.answer
      : await refund(sql, payment, amount, key);
    return told(answer).transaction_id;
  }, (id) => effects.refunds.set(id, { payment, amount }));
}

/** Sends a request, and keeps what was accepted of it: the same thing however often it is sent. */
function accepting(send: (sql: Sql) => Promise<string | undefined>, keep: (id: string) => void): Attempt {
  let first: string | undefined;
  return async (sql) => {
    const id = await unlessRefused(() => send(sql));
    if (id === undefined) return;
    assertEquals(id, first ??= id, "one request had two effects");
    keep(id);
  };
}

/** What `work` gives, or nothing if it was refused for a good reason. Anything else, a deadlock above all, fails the test. */
async function unlessRefused<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    if (code !== "PGRST") throw error;
    told(JSON.parse(message));
  }
}

/** An answer, which may be a kept refusal. */
function told(answer: Answer): Answer {
  if (answer.code) assertMatch(answer.code, GOOD_REASONS);
  return answer;
}

function pick(known: Map<string, unknown>, number: number, make: (id: string) => Attempt): Attempt | undefined {
  const ids = [...known.keys()].slice(-LAST);
  return ids.length === 0 ? undefined : make(ids[number % ids.length]!);
}

function sumOf(legs: [account: string, amount: number][]): Net {
  const net: Net = {};
  for (const [account, amount] of legs) net[account] = (net[account] ?? 0) + amount;
  return net;
}

/** Whatever the order was, the sum of what was accepted is what there must be; of refunds, theirs tells the rounding. */
async function applyAll(sql: Sql, balances: Net, effects: Effects): Promise<void> {
  const add = (account: string, amount: number) => balances[account] = balances[account]! + amount;
  for (const net of effects.payments.values()) {
    for (const [account, amount] of Object.entries(net)) add(account, amount);
  }
  const rows = await sql`select transaction_id, refund_ids from public.wallet_refunds`;
  const order = new Map(rows.map(({ transaction_id, refund_ids }) => [transaction_id, refund_ids as string[]]));
  for (const [payment, net] of effects.payments) {
    const given = [...effects.refunds].filter(([, refund]) => refund.payment === payment);
    assertEquals(order.get(payment)?.toSorted() ?? [], given.map(([id]) => id).toSorted());
    const parties = Object.entries(net).filter(([, amount]) => amount !== 0).sort();
    const left = parties.map(([, amount]) => amount);
    for (const id of order.get(payment) ?? []) {
      const parts = refundParts(left, effects.refunds.get(id)!.amount);
      parts.forEach((part, index) => {
        left[index]! -= part;
        add(parties[index]![0], -part);
      });
    }
  }
}

async function assertHoldsEndedAsTold(sql: Sql, { holds }: Effects): Promise<void> {
  for (const [id, { ends }] of holds) {
    const [row] = await sql`select status from public.wallet_holds where id = ${id}`;
    const possible = ends.has("captured")
      ? ["captured"]
      : ends.has("lapsed")
      ? ["held", "expired", ...ends]
      : ends.has("released")
      ? ["released"]
      : ["held"];
    assertEquals(possible.includes(row!.status), true, `${row!.status} after ${[...ends]}`);
  }
}
