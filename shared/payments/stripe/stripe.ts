import * as z from "zod";
import { answered, inDoubt, refused, unheard } from "../answered.ts";
import type { NextAction, PaymentAttempt, PaymentProvider, ProviderAnswer } from "../payment_provider.ts";
import type { Heard, NotHeard } from "../provider_call.ts";
import { intentSignal, PaymentIntent } from "./payment_intent.ts";
import { stripeAmount } from "./stripe_amount.ts";
import { callStripe, type StripeApi, type StripeFields } from "./stripe_api.ts";
import { refundSignal, StripeRefund } from "./stripe_refund.ts";
import { refusedByStripe } from "./stripe_refusal.ts";

type Otherwise = (attempt: PaymentAttempt, answer: Heard) => ProviderAnswer;

/** Refunds of one payment that a look-up goes through: ours is among the newest. */
const MAX_REFUNDS = 100;

/**
 * Cards by Stripe. The attempt's id is the `Idempotency-Key`, and `metadata.attempt_id` of what comes of it, by which it
 * is found when the answer was lost.
 */
export function stripe(api: StripeApi): PaymentProvider {
  return {
    charge: (attempt) => charge(api, attempt),
    refund: (attempt) => refund(api, attempt),
    // Stripe pays out to our own bank account only.
    payout: (attempt) => Promise.resolve(refused(attempt, "not_allowed")),
    check: (attempt) => attempt.kind === "refund" ? checkRefund(api, attempt) : checkIntent(api, attempt),
  };
}

async function charge(api: StripeApi, attempt: PaymentAttempt): Promise<ProviderAnswer> {
  const fields = { ...common(attempt), currency: attempt.currency.toLowerCase(), "payment_method_types[]": "card" };
  const about: StripeFields = attempt.description ? { description: attempt.description } : {};
  const call = { method: "POST", path: "payment_intents", idempotencyKey: attempt.id } as const;
  return ofIntent(attempt, await callStripe(api, { ...call, fields: { ...fields, ...about } }), refusedByStripe);
}

async function refund(api: StripeApi, attempt: PaymentAttempt): Promise<ProviderAnswer> {
  const { original_provider_id: original } = attempt;
  if (!original) return refused(attempt, "not_allowed");
  const fields = { ...common(attempt), [original.startsWith("ch_") ? "charge" : "payment_intent"]: original };
  const call = { method: "POST", path: "refunds", idempotencyKey: attempt.id } as const;
  return ofRefund(attempt, await callStripe(api, { ...call, fields }), refusedByStripe);
}

/** Under our id the search finds it about a minute after it was made; until then the same request tells the same. */
async function checkIntent(api: StripeApi, attempt: PaymentAttempt): Promise<ProviderAnswer> {
  const { id, provider_id } = attempt;
  if (provider_id) {
    const path = `payment_intents/${encodeURIComponent(provider_id)}`;
    return ofIntent(attempt, await callStripe(api, { method: "GET", path }));
  }
  const fields = { query: `metadata['attempt_id']:'${id}'` };
  const answer = await callStripe(api, { method: "GET", path: "payment_intents/search", fields });
  return found(attempt, answer, PaymentIntent, answeredIntent);
}

async function checkRefund(api: StripeApi, attempt: PaymentAttempt): Promise<ProviderAnswer> {
  const { provider_id, original_provider_id } = attempt;
  if (provider_id) {
    const path = `refunds/${encodeURIComponent(provider_id)}`;
    return ofRefund(attempt, await callStripe(api, { method: "GET", path }));
  }
  const fields = { payment_intent: original_provider_id ?? "", limit: MAX_REFUNDS };
  const answer = await callStripe(api, { method: "GET", path: "refunds", fields });
  return found(attempt, answer, StripeRefund, answeredRefund);
}

/** The one of a list that bears our id; that it is missing is certain only if the list is one. */
function found<Thing extends { metadata: { attempt_id: string | null } }>(
  attempt: PaymentAttempt,
  answer: Heard | NotHeard,
  shape: z.ZodType<Thing>,
  answeredThing: (attempt: PaymentAttempt, thing: Thing) => ProviderAnswer,
): ProviderAnswer {
  if (answer.kind !== "heard") return unheard(attempt, answer);
  const { data: list } = z.object({ data: z.array(shape) }).safeParse(answer.json);
  if (!list || answer.status !== 200) return inDoubt(attempt);
  const thing = list.data.find(({ metadata }) => metadata.attempt_id === attempt.id);
  return thing ? answeredThing(attempt, thing) : { kind: "not_found" };
}

/** @param otherwise - what another answer means: of a request it may be a refusal, of a look-up it says nothing */
function ofIntent(attempt: PaymentAttempt, answer: Heard | NotHeard, otherwise: Otherwise = inDoubt): ProviderAnswer {
  if (answer.kind !== "heard") return unheard(attempt, answer);
  if (answer.status !== 200) return otherwise(attempt, answer);
  const { data } = PaymentIntent.safeParse(answer.json);
  return data?.metadata.attempt_id === attempt.id ? answeredIntent(attempt, data) : inDoubt(attempt);
}

function ofRefund(attempt: PaymentAttempt, answer: Heard | NotHeard, otherwise: Otherwise = inDoubt): ProviderAnswer {
  if (answer.kind !== "heard") return unheard(attempt, answer);
  if (answer.status !== 200) return otherwise(attempt, answer);
  const { data } = StripeRefund.safeParse(answer.json);
  return data?.metadata.attempt_id === attempt.id ? answeredRefund(attempt, data) : inDoubt(attempt);
}

function answeredIntent(attempt: PaymentAttempt, intent: PaymentIntent): ProviderAnswer {
  const { client_secret, status } = intent;
  const mayConfirm = client_secret !== null && status.startsWith("requires_");
  const next: NextAction | null = mayConfirm ? { type: "confirm_card", client_secret } : null;
  return answered(attempt, intentSignal(intent), next);
}

function answeredRefund(attempt: PaymentAttempt, thing: StripeRefund): ProviderAnswer {
  return answered(attempt, refundSignal(thing));
}

function common({ id, transaction_id, reference, amount, currency }: PaymentAttempt): StripeFields {
  return { amount: stripeAmount(amount, currency), metadata: { attempt_id: id, transaction_id, reference } };
}
