import * as z from "zod";
import { answered, inDoubt } from "../answered.ts";
import type { PaymentAttempt, ProviderAnswer } from "../payment_provider.ts";
import type { PaymentFailureCode } from "../payment_signal.ts";
import type { Heard } from "../provider_call.ts";
import { entryOf } from "../webhooks/fields.ts";

const Code = z.string().nullable().catch(null);

/** What Stripe says of a failure: in an error's body, and as `last_payment_error`. */
export const StripeError = z.object({ type: Code, code: Code, decline_code: Code });

/** What Stripe says of a failure. */
export type StripeError = z.output<typeof StripeError>;

/** Stripe's codes, where ours say more than that it refused. @see Stripe, "Error codes", "Decline codes" */
const CODES: Record<string, PaymentFailureCode> = {
  amount_too_large: "limit_reached",
  amount_too_small: "limit_reached",
  authentication_required: "authentication_failed",
  card_declined: "card_declined",
  card_velocity_exceeded: "limit_reached",
  charge_already_refunded: "not_allowed",
  charge_disputed: "not_allowed",
  expired_card: "card_declined",
  generic_decline: "card_declined",
  incorrect_cvc: "card_declined",
  insufficient_funds: "insufficient_funds",
  lost_card: "card_declined",
  payment_intent_authentication_failure: "authentication_failed",
  processing_error: "provider_error",
  stolen_card: "card_declined",
  withdrawal_count_limit_exceeded: "limit_reached",
};

/** Why Stripe refused, in our words: the bank's own reason counts more than that there is one. */
export function stripeFailure(error: StripeError): PaymentFailureCode {
  const known = entryOf(CODES, error.decline_code) ?? entryOf(CODES, error.code);
  return known ?? (error.type === "card_error" ? "card_declined" : "provider_error");
}

/**
 * What an answer tells that is not the good one. A key that is in use or was used for another request (409, 400
 * `idempotency_error`) says that something of ours is there already; a 5xx says nothing.
 */
export function refusedByStripe(attempt: PaymentAttempt, { status, json }: Heard): ProviderAnswer {
  const { data } = z.object({ error: StripeError }).safeParse(json);
  const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 409;
  if (!data || !isFinal || data.error.type === "idempotency_error") return inDoubt(attempt);
  return answered(attempt, { status: "failed", failure_code: stripeFailure(data.error) });
}
