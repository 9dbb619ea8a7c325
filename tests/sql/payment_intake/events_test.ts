import { assertEquals } from "@std/assert";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { reviewsOf, statusOf, suspenseOf } from "../payments/payments.ts";
import { balanceOf, driftOf, refusalOf } from "../wallet/wallets.ts";
import { eventOf, expectPayment, ingest } from "./intake.ts";

const database = await createTestDatabase();

Deno.test(
  "ingest_payment_event() settles the payment that it tells of",
  rolledBack(database, async (sql) => {
    const payment = await expectPayment(sql, "paystack");

    const answer = await ingest(sql, {
      provider: "paystack",
      event_id: "e1",
      signal: { attempt_id: payment.attemptId },
    });

    assertEquals(answer, { received: true, duplicate: false, outcome: "applied" });
    assertEquals([await statusOf(sql, payment.id), await balanceOf(sql, payment.accountId)], ["succeeded", 1_000]);
    const event = await eventOf(sql, "e1");
    assertEquals([event.transaction_id, event.attempt_id, event.review_id], [payment.id, payment.attemptId, null]);
  }),
);

Deno.test(
  "ingest_payment_event() answers a copy with the outcome of the first, and does nothing",
  rolledBack(database, async (sql) => {
    const payment = await expectPayment(sql, "paystack");
    const told = { provider: "paystack", event_id: "e1", signal: { attempt_id: payment.attemptId } };
    await ingest(sql, told);

    const copy = await ingest(sql, told);

    assertEquals(copy, { received: true, duplicate: true, outcome: "applied" });
    assertEquals(await balanceOf(sql, payment.accountId), 1_000);
    const { copy_count, is_contradicted } = await eventOf(sql, "e1");
    assertEquals([copy_count, is_contradicted], [2, false]);
  }),
);

Deno.test(
  "ingest_payment_event() shows a copy that speaks of other money, and believes the first",
  rolledBack(database, async (sql) => {
    const payment = await expectPayment(sql, "paystack");
    await ingest(sql, { provider: "paystack", event_id: "e1", signal: { attempt_id: payment.attemptId } });

    const answer = await ingest(sql, {
      provider: "paystack",
      event_id: "e1",
      signal: { attempt_id: payment.attemptId, amount: 9_000 },
    });

    assertEquals([answer.duplicate, (await eventOf(sql, "e1")).is_contradicted], [true, true]);
    assertEquals([await balanceOf(sql, payment.accountId), await suspenseOf(sql)], [1_000, 0]);
  }),
);

Deno.test(
  "ingest_payment_event() takes the same id of two providers for two events",
  rolledBack(database, async (sql) => {
    await ingest(sql, { provider: "stripe", event_id: "e1", signal: { kind: "other" } });

    assertEquals(
      (await ingest(sql, { provider: "paystack", event_id: "e1", signal: { kind: "other" } })).duplicate,
      false,
    );
  }),
);

for (
  const [name, signal, kind, suspense] of [
    ["another amount", { amount: 900 }, "amount_mismatch", 900],
    ["another currency", { currency: "USD" }, "currency_mismatch", 0],
  ] as const
) {
  Deno.test(
    `ingest_payment_event() puts ${name} to review, and the money into suspense`,
    rolledBack(database, async (sql) => {
      const payment = await expectPayment(sql, "paystack");

      const answer = await ingest(sql, {
        provider: "paystack",
        event_id: "e1",
        signal: { attempt_id: payment.attemptId, ...signal },
      });

      const [review] = await reviewsOf(sql, payment.id);
      assertEquals([answer.outcome, review!.kind, (await eventOf(sql, "e1")).review_id], ["review", kind, review!.id]);
      assertEquals([await statusOf(sql, payment.id), await balanceOf(sql, payment.accountId)], ["unknown", 0]);
      assertEquals(await suspenseOf(sql), suspense);
    }),
  );
}

Deno.test(
  "ingest_payment_event() keeps money of an unknown reference in suspense, once, whatever events tell of it",
  rolledBack(database, async (sql) => {
    const answers = [
      await ingest(sql, { event_id: "e1", signal: { provider_id: "pi_1", attempt_id: crypto.randomUUID() } }),
      await ingest(sql, { event_id: "e2", signal: { provider_id: "pi_1" } }),
    ];

    assertEquals(answers.map(({ outcome }) => outcome), ["unmatched", "unmatched"]);
    assertEquals(await suspenseOf(sql), 1_000);
    const reviews = await sql`select id, kind, amount::float8, currency from public.payment_reviews`;
    assertEquals(reviews.map(({ kind, amount, currency }) => [kind, amount, currency]), [["unmatched", 1_000, "RWF"]]);
    assertEquals((await eventOf(sql, "e2")).review_id, reviews[0]!.id);
    assertEquals(await driftOf(sql), []);
  }),
);

Deno.test(
  "ingest_payment_event() takes money that left us for nothing of ours out of suspense",
  rolledBack(database, async (sql) => {
    await ingest(sql, { signal: { kind: "refund", provider_id: "re_1" } });

    assertEquals(await suspenseOf(sql), -1_000);
  }),
);

for (
  const [name, signal] of Object.entries(
    {
      "a failure": { status: "failed" },
      "a payment on its way": { status: "processing" },
    } as const,
  )
) {
  Deno.test(
    `ingest_payment_event() keeps ${name} of an unknown reference, and asks nobody`,
    rolledBack(database, async (sql) => {
      const answer = await ingest(sql, { event_id: "e1", signal });

      assertEquals([answer.outcome, (await eventOf(sql, "e1")).review_id, await suspenseOf(sql)], [
        "unmatched",
        null,
        0,
      ]);
    }),
  );
}

Deno.test(
  "ingest_payment_event() has a person look at a dispute of an unknown payment",
  rolledBack(database, async (sql) => {
    await ingest(sql, { event_id: "e1", signal: { kind: "dispute" } });

    const [review] = await sql`select kind, amount::float8 from public.payment_reviews`;
    assertEquals([review!.kind, review!.amount, await suspenseOf(sql)], ["dispute", -1_000, 0]);
  }),
);

Deno.test(
  "ingest_payment_event() lets no provider confirm another one's attempt",
  rolledBack(database, async (sql) => {
    const payment = await expectPayment(sql, "paystack");

    const answer = await ingest(sql, { provider: "standard_webhooks", signal: { attempt_id: payment.attemptId } });

    assertEquals([answer.outcome, await statusOf(sql, payment.id)], ["unmatched", "pending"]);
  }),
);

Deno.test(
  "ingest_payment_event() finds MTN's attempt by the transaction in our callback's address, and asks MTN before a franc moves",
  rolledBack(database, async (sql) => {
    const payment = await expectPayment(sql, "mtn_momo", 1_000, "+250788000001");

    const answer = await ingest(sql, {
      provider: "mtn_momo",
      event_id: "e1",
      payload: { transaction_id: payment.id },
      signal: { provider_id: null },
    });

    assertEquals([answer.outcome, await statusOf(sql, payment.id)], ["unconfirmed", "pending"]);
    assertEquals((await eventOf(sql, "e1")).attempt_id, payment.attemptId);
  }),
);

Deno.test(
  "ingest_payment_event() books nothing on the word of somebody who signs nothing",
  rolledBack(database, async (sql) => {
    for (const provider of ["mtn_momo", "flutterwave"]) {
      assertEquals((await ingest(sql, { provider })).outcome, "unmatched");
    }

    assertEquals(await suspenseOf(sql), 0);
    assertEquals((await sql`select from public.payment_reviews`).length, 0);
  }),
);

Deno.test(
  "ingest_payment_event() finds a payment by the provider's id once that is known",
  rolledBack(database, async (sql) => {
    const payment = await expectPayment(sql, "paystack");
    const told = { provider: "paystack", signal: { provider_id: "ps_1", status: "processing" } } as const;
    await ingest(sql, { ...told, signal: { ...told.signal, attempt_id: payment.attemptId } });

    const answer = await ingest(sql, { ...told, signal: { provider_id: "ps_1" } });

    assertEquals([answer.outcome, await statusOf(sql, payment.id)], ["applied", "succeeded"]);
  }),
);

Deno.test(
  "ingest_payment_event() takes the same unknown payment with another amount for other money",
  rolledBack(database, async (sql) => {
    for (const [event_id, amount] of [["e1", 1_000], ["e2", 5_000], ["e3", 5_000]] as const) {
      await ingest(sql, { event_id, signal: { provider_id: "pi_1", amount } });
    }

    const reviews =
      await sql`select id, amount::float8 from public.payment_reviews where status = 'open' order by amount`;
    assertEquals([reviews.map(({ amount }) => amount), await suspenseOf(sql)], [[1_000, 5_000], 6_000]);
    assertEquals([(await eventOf(sql, "e2")).review_id, (await eventOf(sql, "e3")).review_id], [
      reviews[1]!.id,
      reviews[1]!.id,
    ]);
  }),
);

for (
  const [name, signal] of Object.entries({
    "an amount in words": { amount: "a lot" as never },
    "an amount below zero": { amount: -1_000 },
    "a fraction": { amount: 0.5 },
    "more than any amount": { amount: 1e300 },
    "a currency that is none": { currency: "francs" },
    "an endless id": { provider_id: "x".repeat(9_000) },
  })
) {
  Deno.test(
    `ingest_payment_event() keeps ${name}, with a review, and books nothing`,
    rolledBack(database, async (sql) => {
      const payment = await expectPayment(sql, "paystack");

      const told = { provider: "paystack", event_id: "e1", signal: { attempt_id: payment.attemptId, ...signal } };
      const answer = await ingest(sql, told);

      const { reason, review_id } = await eventOf(sql, "e1");
      assertEquals([answer.outcome, reason, review_id !== null], ["review", "invalid_argument", true]);
      assertEquals([await statusOf(sql, payment.id), await suspenseOf(sql)], ["pending", 0]);
    }),
  );
}

Deno.test(
  "ingest_payment_event() has nobody look at a payment of nothing",
  rolledBack(database, async (sql) => {
    const answer = await ingest(sql, { signal: { amount: 0 } });

    assertEquals([answer.outcome, (await sql`select from public.payment_reviews`).length], ["unmatched", 0]);
  }),
);

Deno.test(
  "ingest_payment_event() refuses what is no event",
  rolledBack(database, async (sql) => {
    for (
      const told of [
        { event_id: "" },
        { event_id: "x".repeat(256) },
        { event_type: "" },
        { signal: { kind: "gift" as never } },
        { signal: { status: "maybe" as never } },
        { signal: { evidence: "operator" } },
      ] as const
    ) {
      assertEquals(await refusalOf(sql, (sql) => ingest(sql, told)), "invalid_argument", JSON.stringify(told));
    }
  }),
);

Deno.test(
  "nobody changes or empties what providers have told us",
  rolledBack(database, async (sql) => {
    await ingest(sql, { event_id: "e1" });

    for (
      const attempt of ["delete from public.payment_webhook_events", "truncate public.payment_webhook_events cascade"]
    ) {
      assertEquals(await sqlStateOf(sql, (sql) => sql.unsafe(attempt)), "42501");
    }
    const state = await sqlStateOf(
      sql,
      (sql) => as(sql, "service_role", {}, (sql) => sql`update public.payment_webhook_events set outcome = 'applied'`),
    );
    assertEquals(state, "42501");
  }),
);
