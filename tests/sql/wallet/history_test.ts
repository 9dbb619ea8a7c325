import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import type { TransactionSql } from "postgres";
import { createTestDatabase } from "../../support/database.ts";
import { LedgerModel } from "./ledger_model.ts";
import { type Answer, capture, driftOf, hold, openWallet, platformAccount, post, refund, transfer } from "./wallets.ts";

const database = await createTestDatabase();

const number = fc.nat({ max: 1_000 });
const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant("transfer"), one: number, two: number, amount: number }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("hold"), one: number, two: number, amount: number }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("capture"), one: number, two: number, amount: number }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("release"), one: number, two: number, amount: number }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("refund"), one: number, two: number, amount: number }) },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

/** Minimum and maximum of each account, what it begins with. */
const ACCOUNTS = [
  { balance: 1_000, minimum: 0, maximum: 100_000 },
  { balance: 500, minimum: 0, maximum: 2_000 },
  { balance: 0, minimum: -700, maximum: 100_000 },
  { balance: 300, minimum: 100, maximum: 1_500 },
];

Deno.test("any history ends as the model says, command by command", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 40 }), async (commands) => {
      await rolledBackHistory(async (sql) => {
        const model = new LedgerModel(await openAll(sql));
        const ids = { holds: [] as string[], payments: [] as string[] };

        for (const command of commands) {
          const [expected, answer] = await play(sql, model, ids, command);
          assertEquals(answer.code ?? "accepted", expected, JSON.stringify(command));
        }

        const rows = await sql`select account_id as id, balance::int, held::int from public.wallet_balances`;
        const stored = new Map(rows.map(({ id, balance, held }) => [id, [balance, held]]));
        model.accounts.forEach(({ id, balance }, index) => {
          assertEquals(stored.get(id), [balance, model.heldOf(index)]);
        });
        assertEquals(await driftOf(sql), []);
        await assertStatementsClose(sql, model.accounts.map(({ id }) => id));
      });
    }),
    { numRuns: 25 },
  );
});

/** What the model expects of a command, and what the database answers. */
async function play(
  sql: TransactionSql,
  model: LedgerModel,
  ids: { holds: string[]; payments: string[] },
  { type, one, two, amount: wanted }: Command,
): Promise<[expected: string, answer: Answer]> {
  const from = one % model.accounts.length;
  const to = (from + 1 + two % (model.accounts.length - 1)) % model.accounts.length;
  const [payer, receiver] = [model.accounts[from]!.id, model.accounts[to]!.id];
  const amount = wanted + 1;
  if (type === "transfer") {
    const expected = model.transfer(from, to, amount);
    const answer = await transfer(sql, payer, receiver, amount);
    if (answer.transaction_id) ids.payments.push(answer.transaction_id);
    return [expected, answer];
  }
  if (type === "hold") {
    const expected = model.hold(from, to, amount);
    const answer = await hold(sql, payer, amount, { to: receiver });
    if (answer.id) ids.holds.push(answer.id);
    return [expected, answer];
  }
  if (type === "refund") {
    if (ids.payments.length === 0) return ["accepted", {}];
    const chosen = one % ids.payments.length;
    return [model.refund(chosen, amount), await refund(sql, ids.payments[chosen]!, amount)];
  }
  if (ids.holds.length === 0) return ["accepted", {}];
  const chosen = one % ids.holds.length;
  if (type === "release") return [model.release(chosen), await release(sql, ids.holds[chosen]!)];
  const expected = model.capture(chosen, amount);
  const answer = await capture(sql, ids.holds[chosen]!, { amount });
  if (answer.transaction_id) ids.payments.push(answer.transaction_id);
  return [expected, answer];
}

async function openAll(sql: TransactionSql) {
  const accounts = [];
  for (const { balance, minimum, maximum } of ACCOUNTS) {
    const id = await openWallet(sql, { balance });
    await sql`select public.set_wallet_guards(${id}, ${minimum}, ${maximum})`;
    accounts.push({ id, balance, minimum, maximum });
  }
  await post(sql, "transfer", [[accounts[0]!.id, -1], [await platformAccount(sql, "fees"), 1]]);
  accounts[0]!.balance -= 1;
  return accounts;
}

async function release(sql: TransactionSql, id: string): Promise<Answer> {
  let answer: Answer = {};
  await sql.savepoint((sql) => sql`select public.wallet_release(${id})`).catch((error) => {
    answer = JSON.parse(error.message);
  });
  return answer;
}

async function rolledBackHistory(body: (sql: TransactionSql) => Promise<void>): Promise<void> {
  const undone = new Error("undone");
  await database.sql.begin(async (sql) => {
    await body(sql);
    throw undone;
  }).catch((error) => {
    if (error !== undone) throw error;
  });
}

async function assertStatementsClose(sql: TransactionSql, accounts: string[]): Promise<void> {
  for (const account of accounts) {
    const lines =
      await sql`select amount::int, balance::int, booked_at from public.wallet_statement(${account}, max_count => 1000)`;
    let balance = 0;
    for (const line of lines) {
      balance += line.amount;
      assertEquals(line.balance, balance);
    }
  }
}
