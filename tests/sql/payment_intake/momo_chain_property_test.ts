import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { openReceiver, receive } from "./intake.ts";

const database = await createTestDatabase();
const START = Date.now();
/** No balance of ours is near it: whoever forges a message does not know the account. */
const FORGED_BALANCE = 10_000_000;

interface Message {
  kind: "true" | "missing" | "forged";
  second: number;
  amount: number;
  balance: number;
  id: string;
  place: number;
}

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom<Message["kind"]>("true", "true", "true", "true", "missing", "forged"),
    pause: fc.integer({ min: 0, max: 2 }),
    amount: fc.integer({ min: 1, max: 5_000 }),
    place: fc.nat(),
  }),
  { minLength: 2, maxLength: 14 },
);
type Steps = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** True and missing messages continue one balance, forged ones another. */
function messagesOf(steps: Steps): Message[] {
  const balances = { true: 0, forged: FORGED_BALANCE };
  let second = 0;
  return steps.map(({ kind, pause, amount, place }, index) => {
    second += pause;
    const balance = balances[kind === "forged" ? "forged" : "true"] += amount;
    return { kind, second, amount, balance, id: String(80_000_000_000 + index), place };
  });
}

/** The true messages that hang together with the first one of them to come, nothing missing in between. */
function trustedIds(messages: Message[], firstId: string): string[] {
  const real = messages.filter(({ kind }) => kind !== "forged");
  const at = real.findIndex(({ id }) => id === firstId);
  let [from, to] = [at, at];
  while (real[from - 1]?.kind === "true") from--;
  while (real[to + 1]?.kind === "true") to++;
  return real.slice(from, to + 1).map(({ id }) => id).sort();
}

Deno.test("whatever is missing, forged or late, exactly what hangs together with the first true receipt is trusted", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const messages = messagesOf(steps);
      const came = messages.filter(({ kind }) => kind !== "missing").sort((one, other) => one.place - other.place);
      const first = came.find(({ kind }) => kind === "true");
      if (!first) return;

      await rolledBack(database, async (sql) => {
        await openReceiver(sql);
        for (const { amount, balance, id, second } of [first, ...came.filter((each) => each !== first)]) {
          await receive(sql, { amount, balance, id, at: new Date(START + 1_000 * second) });
        }

        const rows = await sql`
          select event.signal ->> 'provider_id' as id from public.momo_receipts as receipt
          join public.payment_webhook_events as event on event.id = receipt.event_id
          where receipt.chain <> 'broken' order by 1`;
        assertEquals(rows.map(({ id }) => id), trustedIds(messages, first.id));
      })();
    }),
    { numRuns: 100 },
  );
});
