import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { openWallet, refusalOf, standingOf } from "../wallet/wallets.ts";
import { attemptOf, create, pathOf, reviewsOf, type Signal, signal, statusOf, suspenseOf } from "./payments.ts";

const database = await createTestDatabase();

Deno.test(
  "record_payment_signal() never takes a success back",
  rolledBack(database, async (sql) => {
    const driver = await openWallet(sql);
    const payment = await create(sql, { to: driver });
    await signal(sql, payment.id);

    const outcomes = [];
    for (const status of ["failed", "cancelled", "expired", "processing", "unknown"]) {
      outcomes.push((await signal(sql, payment.id, { status, amount: null })).outcome);
    }

    assertEquals(new Set(outcomes), new Set(["unchanged"]));
    assertEquals(await statusOf(sql, payment.id), "succeeded");
    assertEquals((await standingOf(sql, driver))[0], 1_000);
  }),
);

for (const ending of ["failed", "cancelled", "expired"]) {
  Deno.test(
    `record_payment_signal() takes money that comes after the payment has ${ending}`,
    rolledBack(database, async (sql) => {
      const driver = await openWallet(sql);
      const payment = await create(sql, { to: driver });
      await signal(sql, payment.id, { status: ending, failure_code: "rejected", amount: null });

      const { outcome } = await signal(sql, payment.id);

      assertEquals(outcome, "applied");
      assertEquals(await pathOf(sql, payment.id), ["pending", ending, "succeeded"]);
      assertEquals((await standingOf(sql, driver))[0], 1_000);
    }),
  );
}

Deno.test(
  "record_payment_signal() keeps another amount in suspense, for a person to look at",
  rolledBack(database, async (sql) => {
    const driver = await openWallet(sql);
    const payment = await create(sql, { to: driver });

    const first = await signal(sql, payment.id, { amount: 900 });
    const again = await signal(sql, payment.id, { amount: 900 });
    const corrected = await signal(sql, payment.id, { amount: 1_000 });
    const failed = await signal(sql, payment.id, { status: "failed" });

    assertEquals([first.outcome, again.outcome, corrected.outcome, failed.outcome], [
      "review",
      "unchanged",
      "unchanged",
      "unchanged",
    ]);
    assertEquals(await statusOf(sql, payment.id), "unknown");
    assertEquals((await standingOf(sql, driver))[0], 0);
    assertEquals(await suspenseOf(sql), 900);
    const [review, ...others] = await reviewsOf(sql, payment.id);
    assertEquals([review!.kind, review!.amount, review!.is_suspended, others.length], [
      "amount_mismatch",
      900,
      true,
      0,
    ]);
  }),
);

Deno.test(
  "record_payment_signal() keeps another currency in suspense of that currency",
  rolledBack(database, async (sql) => {
    const driver = await openWallet(sql);
    const payment = await create(sql, { to: driver });

    await signal(sql, payment.id, { currency: "UGX" });

    assertEquals((await reviewsOf(sql, payment.id)).map(({ kind }) => kind), ["currency_mismatch"]);
    assertEquals([await suspenseOf(sql), await suspenseOf(sql, "UGX")], [0, 1_000]);
  }),
);

Deno.test(
  "record_payment_signal() asks a person about money of a currency that the books do not know",
  rolledBack(database, async (sql) => {
    const payment = await create(sql, { to: await openWallet(sql) });

    await signal(sql, payment.id, { currency: "XAU" });

    const [review] = await reviewsOf(sql, payment.id);
    assertEquals([review!.kind, review!.is_suspended], ["currency_mismatch", false]);
  }),
);

Deno.test(
  "record_payment_signal() keeps a second charge for the same payment in suspense",
  rolledBack(database, async (sql) => {
    const driver = await openWallet(sql);
    const payment = await create(sql, { to: driver, method: "paystack" });
    await signal(sql, payment.id, { provider_id: "charge-1", evidence: "webhook" });

    const { outcome } = await signal(sql, payment.id, { provider_id: "charge-2", evidence: "webhook" });

    assertEquals(outcome, "review");
    assertEquals(await statusOf(sql, payment.id), "succeeded");
    assertEquals([(await standingOf(sql, driver))[0], await suspenseOf(sql)], [1_000, 1_000]);
  }),
);

Deno.test(
  "record_payment_signal() does not believe one charge for two payments",
  rolledBack(database, async (sql) => {
    const driver = await openWallet(sql);
    const [one, two] = [await create(sql, { to: driver }), await create(sql, { to: driver })];
    await signal(sql, one.id, { provider_id: "11223344556" });

    const { outcome } = await signal(sql, two.id, { provider_id: "11223344556" });

    assertEquals(outcome, "review");
    assertEquals((await standingOf(sql, driver))[0], 1_000);
  }),
);

Deno.test(
  "record_payment_signal() asks MTN itself when an unsigned message says that money came",
  rolledBack(database, async (sql) => {
    const driver = await openWallet(sql);
    const payment = await create(sql, { to: driver });
    await sql`update public.payment_attempts set next_check_at = now() + interval '5 minutes', asked_at = now() - interval '1 minute'`;

    const { outcome } = await signal(sql, payment.id, { evidence: "webhook" });

    assertEquals(outcome, "unconfirmed");
    assertEquals(await statusOf(sql, payment.id), "pending");
    assertEquals((await attemptOf(sql, payment.id)).due_in, 0);
    assertEquals((await standingOf(sql, driver))[0], 0);
  }),
);

Deno.test(
  "record_payment_signal() leaves five seconds between two questions, whoever knocks",
  rolledBack(database, async (sql) => {
    const payment = await create(sql, { to: await openWallet(sql) });
    await signal(sql, payment.id, { status: "processing" });
    await sql`update public.payment_attempts set next_check_at = now() + interval '5 minutes'`;

    for (let time = 0; time < 3; time++) await signal(sql, payment.id, { evidence: "webhook" });

    assertEquals((await attemptOf(sql, payment.id)).due_in, 5);
  }),
);

Deno.test(
  "record_payment_signal() keeps money in suspense that the payee's account cannot take",
  rolledBack(database, async (sql) => {
    const driver = await openWallet(sql);
    const payment = await create(sql, { to: driver });
    await sql`select public.set_wallet_status(${driver}, 'closed', 'left')`;

    const { outcome } = await signal(sql, payment.id);

    assertEquals(outcome, "review");
    assertEquals(await statusOf(sql, payment.id), "unknown");
    assertEquals((await reviewsOf(sql, payment.id)).map(({ kind }) => kind), ["stuck"]);
    assertEquals(await suspenseOf(sql), 1_000);
  }),
);

Deno.test(
  "record_payment_signal() takes money that had come before anybody knew whose it was",
  rolledBack(database, async (sql) => {
    const driver = await openWallet(sql);
    const payment = await create(sql, { to: driver });
    const [suspended] = await sql`select private.suspend_payment('mtn_momo', '11223344556', 1000, 'RWF') as id`;
    await sql`select private.open_payment_review(
      'unmatched', 'mtn_momo', null, null, null, '11223344556', 1000, 'RWF', ${suspended!.id})`;

    const { outcome } = await signal(sql, payment.id, { provider_id: "11223344556" });

    assertEquals(outcome, "applied");
    assertEquals([(await standingOf(sql, driver))[0], await suspenseOf(sql)], [1_000, 0]);
    const [review] = await reviewsOf(sql, payment.id);
    assertEquals([review!.kind, review!.status], ["unmatched", "resolved"]);
  }),
);

Deno.test(
  "record_payment_signal() keeps the same charge apart that is told with other amounts",
  rolledBack(database, async (sql) => {
    const payment = await create(sql, { to: await openWallet(sql) });
    await sql`select private.suspend_payment('mtn_momo', '11223344556', 700, 'RWF')`;

    const { outcome } = await signal(sql, payment.id, { provider_id: "11223344556", amount: 900 });

    assertEquals([outcome, await suspenseOf(sql)], ["review", 1_600]);
  }),
);

Deno.test(
  "record_payment_signal() ends the questions once the provider has said no, though the payer had given up before",
  rolledBack(database, async (sql) => {
    const payment = await create(sql, { to: await openWallet(sql) });
    await sql`select public.start_payment_attempt(${payment.id})`;
    await sql`select public.cancel_transaction(${payment.id})`;

    const { outcome } = await signal(sql, payment.id, { status: "failed", failure_code: "rejected" });

    assertEquals([outcome, (await attemptOf(sql, payment.id)).due_in], ["unchanged", null]);
  }),
);

Deno.test(
  "record_payment_signal() opens one review for a dispute",
  rolledBack(database, async (sql) => {
    const payment = await create(sql, { to: await openWallet(sql), method: "card" });
    await signal(sql, payment.id, { provider_id: "pi_1" });

    for (let time = 0; time < 2; time++) await signal(sql, payment.id, { kind: "dispute", provider_id: "dp_1" });

    assertEquals((await reviewsOf(sql, payment.id)).map(({ kind }) => kind), ["dispute"]);
    assertEquals(await statusOf(sql, payment.id), "succeeded");
  }),
);

Deno.test(
  "record_payment_signal() says that it knows nothing of an unknown attempt",
  rolledBack(database, async (sql) => {
    const said = { kind: "charge", status: "succeeded", evidence: "api", amount: 1, currency: "RWF" };

    const [row] = await sql`select public.record_payment_signal(${crypto.randomUUID()}, ${sql.json(said)}) as answer`;

    assertEquals(row!.answer, { outcome: "unmatched", transaction: null });
  }),
);

const ILL_FORMED: Record<string, Partial<Signal>> = {
  "an unknown kind": { kind: "gift" },
  "an unknown status": { status: "paid" },
  "no evidence": { evidence: null },
  "a negative amount": { amount: -5 },
  "half a franc": { amount: 0.5 },
  "more than JSON readers keep exact": { amount: 9007199254740992 },
  "a currency in lower case": { currency: "rwf" },
  "an empty id": { provider_id: "" },
};

for (const [what, said] of Object.entries(ILL_FORMED)) {
  Deno.test(
    `record_payment_signal() refuses ${what}`,
    rolledBack(database, async (sql) => {
      const payment = await create(sql, { to: await openWallet(sql) });

      const refusal = await refusalOf(sql, (sql) => signal(sql, payment.id, said));

      assertEquals(refusal, "invalid_argument");
    }),
  );
}
