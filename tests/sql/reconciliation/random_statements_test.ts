import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { create, signal } from "../payments/payments.ts";
import { driftOf, openWallet } from "../wallet/wallets.ts";

const database = await createTestDatabase();

/** A payment of ours (settled or open), what the statement says of it, and where its line stands. */
const payment = fc.record({
  isSettled: fc.boolean(),
  said: fc.constantFrom("as it is", "as it is", "dropped", "doubled", "altered", "unknown to us"),
  amount: fc.integer({ min: 100, max: 5_000 }),
  fee: fc.integer({ min: 0, max: 50 }),
  place: fc.nat(),
});
type Payment = typeof payment extends fc.Arbitrary<infer T> ? T : never;

Deno.test("whatever a statement drops, doubles, alters or adds: classes are the model's, and all nets to zero", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(payment, { maxLength: 12 }), async (payments) => {
      await rolledBack(database, async (sql) => {
        const to = await openWallet(sql);
        const occurredAt = new Date(Date.now() - 1_000).toISOString();
        const lines: { place: number; line: Record<string, string> }[] = [];
        for (const [index, { isSettled, said, amount, fee, place }] of payments.entries()) {
          const { id, reference } = await create(sql, { to, amount });
          if (isSettled) await signal(sql, id, { provider_id: `p${index}` });
          const line = {
            provider_id: said === "unknown to us" ? `x${index}` : `p${index}`,
            reference: said === "unknown to us" ? "" : reference,
            occurred_at: occurredAt,
            amount: String(said === "altered" ? amount + 7 : amount),
            fee: String(fee),
          };
          const copies = said === "dropped" ? 0 : said === "doubled" ? 2 : 1;
          for (let copy = 0; copy < copies; copy++) lines.push({ place: place + copy * 3, line });
        }
        lines.sort((one, other) => one.place - other.place);
        const [period] = await sql`select clock_timestamp()::text as until`;
        const half = lines.slice(0, lines.length / 2).map(({ line }) => line);
        let run = "";
        for (const read of [half, lines.map(({ line }) => line), lines.map(({ line }) => line)]) {
          const [row] = await sql`
            select public.reconcile_provider_statement(
              'mtn_momo', 'RWF', ${period!.until}::text::timestamptz - interval '1 hour', ${
            period!.until
          }::text::timestamptz, lines => ${sql.json(read)}
            ) as id`;
          run = row!.id;
        }

        const found = await sql`
          select class, count(*)::integer as count, sum(amount)::float8 as amount from public.reconciliation_items
          where reconciliation_id = ${run} group by class order by class::text`;
        assertEquals(found.map((row) => [row.class, row.count, row.amount]), expected(payments));
        const report = await sql`select name, amount::float8 from public.reconciliation_report(${run})`;
        assertEquals(report.filter(({ name }) => name === "unexplained").map(({ amount }) => amount), [0, 0]);
        assertEquals(await driftOf(sql), []);
      })();
    }),
    { numRuns: 25, endOnFailure: true },
  );
});

/** What becomes of it, told from what was done to it alone. */
function expected(payments: Payment[]): [string, number, number][] {
  const classes = payments.flatMap(({ isSettled, said, amount }): [string, number][] => {
    const missing: [string, number][] = isSettled ? [["missing_external", amount]] : [];
    switch (said) {
      case "dropped":
        return missing;
      case "doubled":
        return [["matched", amount], ["duplicate", amount]];
      case "altered":
        return [["amount_mismatch", amount + 7]];
      case "unknown to us":
        return [["missing_internal", amount], ...missing];
      default:
        return [["matched", amount]];
    }
  });
  return [...new Set(classes.map(([name]) => name))].sort().map((name) => {
    const amounts = classes.filter(([other]) => other === name).map(([, amount]) => amount);
    return [name, amounts.length, amounts.reduce((sum, amount) => sum + amount, 0)];
  });
}
