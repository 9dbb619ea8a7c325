import type { Bytes } from "../../bytes.ts";
import { fromHex } from "../../hex.ts";
import { isSigned } from "../hmac.ts";
import {
  type PaymentEvent,
  type PaymentFailureCode,
  type PaymentSignal,
  type PaymentSignalStatus,
  SILENT_SIGNAL,
} from "../payment_signal.ts";
import { fromStripeAmount } from "../stripe/stripe_amount.ts";
import { StripeError, stripeFailure } from "../stripe/stripe_refusal.ts";
import { at, currencyAt, entryOf, textAt, timeAt, uuidAt, wholeAt } from "./fields.ts";
import { isFresh, prefixed, signatureInvalid } from "./signature.ts";

/**
 * Lets only what Stripe signed with one of the endpoint's secrets pass: scheme `v1` alone, within 300 s.
 *
 * @param secrets - whole, `whsec_` included; during a roll Stripe signs once with each
 * @throws signature_invalid
 * @see Stripe, "Verify webhook signatures manually"
 */
export async function verify(body: Bytes, headers: Headers, secrets: readonly string[], now: Date): Promise<void> {
  const elements = (headers.get("stripe-signature") ?? "").split(",").map((element) => element.trim().split("="));
  const times = elements.flatMap(([scheme, value = ""]) => scheme === "t" ? [value] : []);
  const [time = ""] = times;
  // A header that was sent twice arrives as one list: of two times, nobody knows which one was signed.
  if (times.length !== 1 || !isFresh(time, now)) throw signatureInvalid();
  const signed = prefixed(`${time}.`, body);
  const signatures = elements.flatMap(([scheme, value = ""]) => scheme === "v1" ? fromHex(value, 32) ?? [] : []);
  const verdicts = await Promise.all(signatures.map((signature) => isSigned(signed, signature, secrets)));
  if (!verdicts.includes(true)) throw signatureInvalid();
}

/** What an event of Stripe's says. Refunds are told by their own events, so `charge.refunded` says nothing new. */
export function signalOf(event: unknown): PaymentEvent | null {
  const [event_id, event_type] = [textAt(event, "id"), textAt(event, "type")];
  if (event_id === null || event_type === null) return null;
  const object = at(event, "data.object");
  const signal: PaymentSignal = {
    ...SILENT_SIGNAL,
    occurred_at: timeAt(event, "created"),
    currency: currencyAt(object, "currency"),
    attempt_id: uuidAt(object, "metadata.attempt_id"),
    ...partOf(event_type, object),
  };
  return { event_id, event_type, signal };
}

const INTENT: Record<string, PaymentSignalStatus> = {
  "payment_intent.succeeded": "succeeded",
  // The same intent may still be paid with another card, so it is not over.
  "payment_intent.payment_failed": "processing",
  "payment_intent.processing": "processing",
  "payment_intent.requires_action": "processing",
  "payment_intent.created": "processing",
  "payment_intent.canceled": "cancelled",
};

/** `status` of a refund object. */
const REFUND: Record<string, PaymentSignalStatus> = {
  succeeded: "succeeded",
  failed: "failed",
  canceled: "cancelled",
  pending: "processing",
  requires_action: "processing",
};

function partOf(type: string, object: unknown): Partial<PaymentSignal> {
  const provider_id = textAt(object, "id");
  const intent = entryOf(INTENT, type);
  if (intent) {
    const amount = amountAt(object, intent === "succeeded" ? "amount_received" : "amount");
    return { kind: "charge", status: intent, provider_id, amount, failure_code: declineOf(object) };
  }
  if (/^(?:refund\.|charge\.refund\.)/.test(type)) {
    const status = entryOf(REFUND, textAt(object, "status")) ?? "unknown";
    const failure_code = status === "failed" ? "provider_error" : null;
    return { kind: "refund", status, provider_id, amount: amountAt(object, "amount"), failure_code };
  }
  if (type.startsWith("charge.dispute.")) {
    const about = { provider_id: textAt(object, "payment_intent"), amount: amountAt(object, "amount") };
    return { kind: "dispute", status: disputeStatus(object), ...about };
  }
  return {};
}

/** A dispute has succeeded when the payer got the money back. */
function disputeStatus(object: unknown): PaymentSignalStatus {
  const status = textAt(object, "status");
  if (status === "lost") return "succeeded";
  return status === "won" || status === "warning_closed" ? "failed" : "processing";
}

function declineOf(object: unknown): PaymentFailureCode | null {
  if (textAt(object, "cancellation_reason") !== null) return "cancelled";
  const { data } = StripeError.safeParse(at(object, "last_payment_error"));
  return data ? stripeFailure(data) : null;
}

function amountAt(object: unknown, name: string): number | null {
  const amount = wholeAt(object, name);
  return amount === null ? null : fromStripeAmount(amount, currencyAt(object, "currency") ?? "");
}
