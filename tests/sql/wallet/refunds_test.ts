import { assertEquals } from "@std/assert";
import * as fc from "fast-check";
import type { ISql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { untilSomebodyWaits } from "../foundation/waiting.ts";
import { balanceOf, driftOf, openWallet, platformAccount, post, refund, refusalOf, transfer } from "./wallets.ts";

const database = await createTestDatabase();

Deno.test(
  "wallet_refund() gives back in parts, in whole francs, until nothing is left",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const fees = await platformAccount(sql, "fees");
    const paid = await post(sql, "payment", [[rider, -1_000], [driver, 967], [fees, 33]]);

    await refund(sql, paid, 333);
    assertEquals([await balanceOf(sql, rider), await balanceOf(sql, driver), await balanceOf(sql, fees)], [
      333,
      645,
      22,
    ]);
    await refund(sql, paid, 333);
    await refund(sql, paid);

    assertEquals([await balanceOf(sql, rider), await balanceOf(sql, driver), await balanceOf(sql, fees)], [
      1_000,
      0,
      0,
    ]);
    assertEquals((await refund(sql, paid, 1)).code, "wallet_refund_exceeded");
    assertEquals(await driftOf(sql), []);
  }),
);

Deno.test(
  "wallet_refund() gives the payer what it says, and takes from the receiver who bore the fee only what they got",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const fees = await platformAccount(sql, "fees");
    await sql`select public.set_wallet_fee('transfer', 'RWF', 'receiver', 1000)`;
    const { transaction_id } = await transfer(sql, rider, driver, 1_000);

    await refund(sql, transaction_id!, 500);
    assertEquals([await balanceOf(sql, rider), await balanceOf(sql, driver), await balanceOf(sql, fees)], [
      500,
      450,
      50,
    ]);
    assertEquals((await refund(sql, transaction_id!, 501)).details, '{"remaining": 500}');
    await refund(sql, transaction_id!);

    assertEquals([await balanceOf(sql, rider), await balanceOf(sql, driver), await balanceOf(sql, fees)], [
      1_000,
      0,
      0,
    ]);
    assertEquals(await driftOf(sql), []);
  }),
);

Deno.test(
  "wallet_reverse() of a payment whose receiver bore the fee needs no more than what they got",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    await sql`select public.set_wallet_fee('transfer', 'RWF', 'receiver', 1000)`;
    const { transaction_id } = await transfer(sql, rider, driver, 1_000);

    const [row] = await sql`select public.wallet_reverse(${transaction_id!}, 'undo', 'by mistake') as answer`;

    assertEquals(row!.answer.code, undefined);
    assertEquals([await balanceOf(sql, rider), await balanceOf(sql, driver)], [1_000, 0]);
  }),
);

Deno.test(
  "wallet_refund() of more than is left moves nothing and says what is left",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const { transaction_id } = await transfer(sql, rider, driver, 700);
    await refund(sql, transaction_id!, 400);

    const refused = await refund(sql, transaction_id!, 301, "again");

    assertEquals([refused.code, refused.details], ["wallet_refund_exceeded", '{"remaining": 300}']);
    assertEquals((await refund(sql, transaction_id!, 301, "again")).code, "wallet_refund_exceeded");
    assertEquals([await balanceOf(sql, rider), await balanceOf(sql, driver)], [700, 300]);
  }),
);

Deno.test(
  "wallet_refund() is linked to what it gives back, and gives it back once for a key",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const { transaction_id } = await transfer(sql, rider, driver, 700);

    const first = await refund(sql, transaction_id!, 300, "refund-1");
    await sql`delete from public.idempotency_keys`;
    const second = await refund(sql, transaction_id!, 300, "refund-1");

    const [posted] = await sql`select kind, original_id from public.wallet_transactions where id = ${first
      .transaction_id!}`;
    const [refunds] = await sql`select refund_ids from public.wallet_refunds where transaction_id = ${transaction_id!}`;
    assertEquals({ ...posted }, { kind: "refund", original_id: transaction_id! });
    assertEquals(refunds!.refund_ids, [first.transaction_id]);
    assertEquals(second.transaction_id, first.transaction_id);
    assertEquals(await balanceOf(sql, rider), 600);
  }),
);

Deno.test(
  "wallet_refund() does not overdraw the receiver, and then nothing has happened",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const { transaction_id } = await transfer(sql, rider, driver, 700);
    await transfer(sql, driver, await openWallet(sql), 600);

    assertEquals((await refund(sql, transaction_id!)).code, "insufficient_funds");
    assertEquals([...await sql`select from public.wallet_refunds where refunded_amount > 0`], []);
    assertEquals((await refund(sql, transaction_id!, 100)).code, undefined);
  }),
);

Deno.test(
  "wallet_reverse() mirrors a transaction once, as a whole, whatever its currencies",
  rolledBack(database, async (sql) => {
    const rider = await openWallet(sql, { balance: 1_000 });
    const traveller = await openWallet(sql, { currency: "USD" });
    const [francs, dollars] = [await platformAccount(sql, "exchange"), await platformAccount(sql, "exchange", "USD")];
    const id = await post(sql, "exchange", [[rider, -700], [francs, 700], [dollars, -50], [traveller, 50]]);

    assertEquals((await refund(sql, id, 10)).code, "invalid_argument");
    const [reversal] = await sql`select public.wallet_reverse(${id}, 'undo', 'wrong rate') as answer`;
    const [again] = await sql`select public.wallet_reverse(${id}, 'undo twice', 'wrong rate') as answer`;
    const [back] = await sql`select public.wallet_reverse(${reversal!.answer.transaction_id}, 'redo', 'no') as answer`;

    assertEquals([await balanceOf(sql, rider), await balanceOf(sql, traveller)], [1_000, 0]);
    assertEquals([again!.answer.code, back!.answer.code], ["wallet_refund_exceeded", "wallet_refund_exceeded"]);
    assertEquals(await driftOf(sql), []);
  }),
);

Deno.test(
  "wallet_reverse() is refused once something was given back",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const { transaction_id } = await transfer(sql, rider, driver, 700);
    await refund(sql, transaction_id!, 1);

    const [row] = await sql`select public.wallet_reverse(${transaction_id!}, 'undo', 'by mistake') as answer`;

    assertEquals(row!.answer.code, "wallet_refund_exceeded");
  }),
);

Deno.test(
  "only registered operators and the service give back, reverse and adjust",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const { transaction_id } = await transfer(sql, rider, driver, 700);
    const user = await createUser(sql);
    const operator = { app_metadata: { role: "operator" } };
    const legs = JSON.stringify([{ account_id: rider, amount: 5 }, { account_id: driver, amount: -5 }]);
    const calls: ((sql: ISql) => Promise<unknown>)[] = [
      (sql) => refund(sql, transaction_id!, 1),
      (sql) => sql`select public.wallet_reverse(${transaction_id!}, 'k', 'r')`,
      (sql) => sql`select public.wallet_adjust(${legs}::text::jsonb, 'r', 'k')`,
    ];

    for (const call of calls) {
      assertEquals(await refusalOf(sql, (sql) => asUser(sql, user, call)), "operator_required");
      assertEquals(await refusalOf(sql, (sql) => asUser(sql, user, call, operator)), "operator_required");
    }
    await sql`insert into private.operators (user_id, reason) values (${user}, 'refunds')`;
    const answer = await asUser(sql, user, (sql) => refund(sql, transaction_id!, 100), operator);

    assertEquals(answer.code, undefined);
    assertEquals(await balanceOf(sql, rider), 400);
  }),
);

Deno.test("two refunds at once never exceed the payment; the refused one moves nothing", async () => {
  const [one, two] = [connect(database.url), connect(database.url)];
  const [rider, driver] = [await openWallet(one, { balance: 1_000 }), await openWallet(one, { balance: 1_000 })];
  const { transaction_id } = await transfer(one, rider, driver, 700);

  const gate = await two.reserve();
  await gate`begin`;
  const first = await refund(gate, transaction_id!, 400);
  const second = refund(one, transaction_id!, 400);
  await untilSomebodyWaits(database.sql);
  await gate`commit`;
  gate.release();

  assertEquals(first.code, undefined);
  assertEquals((await second).code, "wallet_refund_exceeded");
  assertEquals([await balanceOf(one, rider), await balanceOf(one, driver)], [700, 1_300]);
  assertEquals(await driftOf(one), []);
  await Promise.all([one.end(), two.end()]);
});

Deno.test(
  "split_wallet_amount() is exact: the parts sum to the amount, each less than one unit off its share",
  async () => {
    const amount = fc.bigInt({ min: 0n, max: 9007199254740991n });
    const weights = fc.array(fc.bigInt({ min: 0n, max: 9007199254740991n }), { minLength: 1, maxLength: 6 })
      .filter((all) => all.some((weight) => weight > 0n));

    await fc.assert(
      fc.asyncProperty(amount, weights, async (amount, weights) => {
        const [row] = await database.sql`
          select private.split_wallet_amount(${String(amount)}, ${
          weights.map(String)
        }::text[]::bigint[])::text[] as parts`;
        const parts: bigint[] = row!.parts.map(BigInt);
        const whole = weights.reduce((sum, weight) => sum + weight, 0n);

        assertEquals(parts.reduce((sum, part) => sum + part, 0n), amount);
        parts.forEach((part, index) => {
          const off = part * whole - amount * weights[index]!;
          assertEquals(off > -whole && off < whole, true, `${part} of ${amount}`);
        });
      }),
      { numRuns: 200 },
    );
  },
);
