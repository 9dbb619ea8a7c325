import type { Bytes } from "../../bytes.ts";
import { fromHex } from "../../hex.ts";
import { isSigned } from "../hmac.ts";
import {
  type PaymentEvent,
  type PaymentSignalKind,
  type PaymentSignalStatus,
  SILENT_SIGNAL,
} from "../payment_signal.ts";
import { fromPaystackAmount } from "../paystack/paystack_amount.ts";
import { currencyAt, entryOf, textAt, timeAt, uuidAt, wholeAt } from "./fields.ts";
import { signatureInvalid } from "./signature.ts";

/**
 * Lets only what Paystack signed with one of our secret keys pass. No time is signed: copies are told by their ids.
 *
 * @throws signature_invalid
 * @see Paystack, "Webhooks": signature validation (HMAC-SHA512 in hex)
 */
export async function verify(body: Bytes, headers: Headers, secrets: readonly string[]): Promise<void> {
  const signature = fromHex(headers.get("x-paystack-signature") ?? "", 64);
  if (!signature || !await isSigned(body, signature, secrets, "SHA-512")) throw signatureInvalid();
}

/** What an event of Paystack's says. Events have no ids: what happened to what is the id. */
export function signalOf(event: unknown): PaymentEvent | null {
  const [event_type, provider_id] = [textAt(event, "event"), textAt(event, "data.id")];
  if (event_type === null || provider_id === null) return null;
  const [subject = "", happened = ""] = event_type.split(".");
  const kind = event_type.startsWith("charge.dispute.") ? "dispute" : entryOf(KINDS, subject) ?? "other";
  const status = kind === "dispute" ? "processing" : entryOf(STATUSES, happened) ?? "unknown";
  const [amount, currency] = [wholeAt(event, "data.amount"), currencyAt(event, "data.currency")];
  const signal = {
    ...SILENT_SIGNAL,
    kind,
    status,
    attempt_id: uuidAt(event, "data.reference"),
    provider_id,
    amount: amount === null ? null : fromPaystackAmount(amount, currency ?? ""),
    currency,
    occurred_at: timeAt(event, "data.paid_at") ?? timeAt(event, "data.created_at"),
    failure_code: status === "failed" ? "provider_error" as const : null,
  };
  return { event_id: `${event_type}:${provider_id}`, event_type, signal };
}

const KINDS: Record<string, PaymentSignalKind> = { charge: "charge", refund: "refund", transfer: "payout" };

const STATUSES: Record<string, PaymentSignalStatus> = {
  success: "succeeded",
  processed: "succeeded",
  failed: "failed",
  reversed: "failed",
  pending: "processing",
  processing: "processing",
};
