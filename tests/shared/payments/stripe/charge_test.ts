import { assertEquals, assertMatch } from "@std/assert";
import { DOUBTS } from "../../../../scripts/fakes/graph/choose_misbehaviour.ts";
import { LASTING_ANSWERS } from "../../../../scripts/fakes/graph/misbehaviour.ts";
import { stripe } from "../../../../shared/payments/stripe/stripe.ts";
import { gist } from "../attempts.ts";
import { cardAttempt, cardWith, onlyIntent } from "./card.ts";

Deno.test("charge() makes a PaymentIntent that the payer confirms", async () => {
  await using card = cardWith();
  const asked = cardAttempt();

  const answer = await card.provider.charge(asked);

  const { amount, currency, metadata, client_secret } = card.fake.objects.intents.get(onlyIntent(card))!;
  assertEquals([amount, currency], [500, "rwf"]);
  assertEquals(metadata, {
    attempt_id: asked.id,
    transaction_id: asked.transaction_id,
    reference: asked.reference,
  });
  assertEquals(answer.kind === "answered" && [answer.signal.status, answer.signal.provider_id, answer.next_action], [
    "processing",
    onlyIntent(card),
    { type: "confirm_card", client_secret },
  ]);
});

Deno.test("charge() that is repeated makes no second PaymentIntent, and tells of the first", async () => {
  await using card = cardWith();
  const asked = cardAttempt();

  const answers = [await card.provider.charge(asked), await card.provider.charge(asked)];

  assertEquals(answers[1], answers[0]);
  assertMatch(onlyIntent(card), /^pi_/);
});

Deno.test("charge() counts as Stripe does: dollars in cents, francs in francs, Ugandan shillings in hundredths", async () => {
  await using card = cardWith();
  const attempts = ["USD", "RWF", "UGX"].map((currency) => cardAttempt({ currency, amount: 1_250 }));

  for (const asked of attempts) await card.provider.charge(asked);
  const checked = [];
  for (const asked of attempts) checked.push(await card.provider.check(asked));

  assertEquals([...card.fake.objects.intents.values()].map(({ amount }) => amount), [1_250, 1_250, 125_000]);
  assertEquals(checked.map((answer) => answer.kind === "answered" && answer.signal.amount), [1_250, 1_250, 1_250]);
});

Deno.test("charge() is in doubt after every answer that is not Stripe's own", async () => {
  for (const doubt of DOUBTS.filter(({ answer }) => !LASTING_ANSWERS.includes(answer))) {
    await using card = cardWith();
    card.fake.next(doubt);

    assertEquals([JSON.stringify(doubt), gist(await card.provider.charge(cardAttempt()))], [
      JSON.stringify(doubt),
      "unknown",
    ]);
  }
});

Deno.test("charge() heeds Stripe's errors by their type and code", async () => {
  const errors: [status: number, error: Record<string, string>, gist: string][] = [
    [
      402,
      { type: "card_error", code: "card_declined", decline_code: "insufficient_funds" },
      "failed insufficient_funds",
    ],
    [402, { type: "card_error", code: "card_declined", decline_code: "generic_decline" }, "failed card_declined"],
    [402, { type: "card_error", code: "something_new" }, "failed card_declined"],
    [402, { type: "card_error", code: "authentication_required" }, "failed authentication_failed"],
    [400, { type: "invalid_request_error", code: "amount_too_large" }, "failed limit_reached"],
    [400, { type: "invalid_request_error" }, "failed provider_error"],
    [400, { type: "idempotency_error" }, "unknown"],
    [409, { type: "invalid_request_error", code: "idempotency_key_in_use" }, "unknown"],
    [500, { type: "api_error" }, "unknown"],
    [401, { type: "invalid_request_error" }, "not_sent not_authorized"],
    [429, { type: "invalid_request_error", code: "rate_limit" }, "not_sent too_many_requests"],
  ];
  for (const [status, error, expected] of errors) {
    const fetch = () => Promise.resolve(Response.json({ error }, { status }));
    const provider = stripe({ url: "http://stripe.test", secretKey: "sk", fetch });

    assertEquals([status, error, gist(await provider.charge(cardAttempt()))], [status, error, expected]);
  }
});

Deno.test("payout() is none of Stripe's", async () => {
  await using card = cardWith();

  assertEquals(gist(await card.provider.payout(cardAttempt({ kind: "payout" }))), "failed not_allowed");
  assertEquals(card.fake.requests, []);
});
