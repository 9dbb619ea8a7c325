import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import type { Sql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { driftOf, openWallet, standingOf } from "../wallet/wallets.ts";
import { create, refund, signal } from "./payments.ts";

const database = await createTestDatabase();
const CONNECTIONS = 6;

const commands = fc.array(
  fc.record({
    type: fc.constantFrom(
      "pay",
      "pay out",
      "refund",
      "refund",
      "refund",
      "tell",
      "tell",
      "tell",
      "tell",
      "cancel",
      "end",
    ),
    one: fc.nat(),
    amount: fc.integer({ min: 100, max: 900 }),
    status: fc.constantFrom("succeeded", "succeeded", "succeeded", "failed", "processing", "unknown"),
  }),
  { minLength: 80, maxLength: 160 },
);
type Command = typeof commands extends fc.Arbitrary<(infer T)[]> ? T : never;

Deno.test("random histories of payments, payouts and refunds over six connections leave sound books, without a deadlock", async () => {
  const connections = Array.from({ length: CONNECTIONS }, () => connect(database.url));
  const [sql] = connections as [Sql];
  try {
    await fc.assert(
      fc.asyncProperty(commands, async (commands) => {
        const wallets = [
          await openWallet(sql, { balance: 2_000 }),
          await openWallet(sql),
          await openWallet(sql, { isBusy: true }),
        ];
        const ids: string[] = [];

        await Promise.all(connections.map(async (sql, lane) => {
          for (const command of commands.filter((_, index) => index % CONNECTIONS === lane)) {
            await run(sql, wallets, ids, command);
          }
        }));

        for (const [index, wallet] of wallets.entries()) {
          const { balance, held } = await expectedOf(sql, wallet, index === 0 ? 2_000 : 0);
          const standing = await standingOf(sql, wallet);
          assertEquals(standing.slice(0, 2), [balance, held]);
          assertEquals(standing[2] >= 0, true);
        }
        assertEquals(await wronglyRefunded(sql), []);
        assertEquals(await driftOf(sql), []);
      }),
      { numRuns: 8, endOnFailure: true },
    );
  } finally {
    await Promise.all(connections.map((sql) => sql.end()));
  }
});

async function run(sql: Sql, wallets: string[], ids: string[], { type, one, amount, status }: Command): Promise<void> {
  const wallet = wallets[one % wallets.length]!;
  if (type === "pay") ids.push((await create(sql, { to: wallet, amount })).id);
  if (type === "pay out") {
    const { id } = await create(sql, { type: "payout", from: wallet, amount });
    if (id) ids.push(id);
  }
  // Few at a time, so that much happens to each.
  const known = ids.at(-1 - one % Math.min(5, Math.max(1, ids.length)));
  if (known === undefined) return;
  if (type === "refund") {
    const { id } = await answerOrRefusal(() => refund(sql, known, amount));
    if (id) ids.push(id);
  }
  if (type === "tell") await signal(sql, known, { status });
  if (type === "cancel") await answerOrRefusal(() => sql`select public.cancel_transaction(${known})`);
  if (type === "end") {
    await answerOrRefusal(() => sql`select public.update_transaction_status(${known}, 'failed', 'tried')`);
  }
}

/** An answer or a refusal. Anything else, a deadlock above all, fails the test. */
async function answerOrRefusal<T>(work: () => Promise<T>): Promise<T | { id?: never }> {
  try {
    return await work();
  } catch (error) {
    if (!(error as Error).message.startsWith("{")) throw error;
    return {};
  }
}

/** What a wallet must have and hold, by the transactions alone. */
async function expectedOf(sql: Sql, wallet: string, opening: number): Promise<{ balance: number; held: number }> {
  const [row] = await sql`
    select
      coalesce(sum(case when status = 'succeeded' and to_account_id = ${wallet} then amount
        when status = 'succeeded' and from_account_id = ${wallet} then -amount end), 0)::float8 as moved,
      coalesce(sum(amount) filter (
        where from_account_id = ${wallet} and status in ('pending', 'processing', 'unknown') and not private.has_freed_funds(stored)
      ), 0)::float8 as held
    from public.transactions as stored
    where ${wallet} in (from_account_id, to_account_id)`;
  return { balance: opening + row!.moved, held: row!.held };
}

/** Payments whose refunds are not what they say, or more than them. */
async function wronglyRefunded(sql: Sql): Promise<string[]> {
  const rows = await sql`
    select original.id
    from public.transactions as original
    left join public.transactions as refund
      on refund.original_id = original.id and (refund.status = 'succeeded' or not private.has_freed_funds(refund))
    where original.type = 'payment'
    group by original.id
    having original.refunded_amount <> coalesce(sum(refund.amount), 0) or original.refunded_amount > original.amount`;
  return rows.map(({ id }) => id);
}
