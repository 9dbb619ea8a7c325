import type { Bytes } from "../../bytes.ts";
import { Problem } from "../../problem.ts";
import { isSigned } from "../hmac.ts";
import {
  type PaymentEvent,
  type PaymentFailureCode,
  type PaymentSignalKind,
  type PaymentSignalStatus,
  SILENT_SIGNAL,
} from "../payment_signal.ts";
import { currencyAt, entryOf, textAt, timeAt, uuidAt, wholeAt } from "./fields.ts";
import { fromBase64, isFresh, prefixed, signatureInvalid } from "./signature.ts";

const SECRET_PREFIX = "whsec_";

/**
 * Lets only what a sender signed by Standard Webhooks 1.0.0 with one of our secrets pass: symmetric `v1` alone, within
 * 300 s. The header may list several signatures, so that the sender can rotate.
 *
 * @param secrets - base64, with or without `whsec_`
 * @throws signature_invalid; not_configured when a secret is no base64
 */
export async function verify(body: Bytes, headers: Headers, secrets: readonly string[], now: Date): Promise<void> {
  const keys = secrets.map(keyOf);
  const id = headers.get("webhook-id") ?? "";
  const time = headers.get("webhook-timestamp") ?? "";
  // A full stop in the id could move what is signed from one field to the next.
  if (id === "" || id.includes(".") || !isFresh(time, now)) throw signatureInvalid();
  const signed = prefixed(`${id}.${time}.`, body);
  const listed = (headers.get("webhook-signature") ?? "").split(" ").map((entry) => entry.split(","));
  const signatures = listed.flatMap(([version, value = ""]) => version === "v1" ? fromBase64(value) ?? [] : []);
  const verdicts = await Promise.all(signatures.map((signature) => isSigned(signed, signature, keys)));
  if (!verdicts.includes(true)) throw signatureInvalid();
}

/**
 * What an event says. The specification leaves the data to the sender; ours are
 * `{ type: "payment.succeeded", timestamp, data: { id, reference, amount, currency, failure_code? } }` with amounts in
 * minor units and the attempt's id as reference; `refund.*` and `payout.*` likewise.
 */
export function signalOf(event: unknown, headers: Headers): PaymentEvent | null {
  const [event_id, event_type] = [headers.get("webhook-id"), textAt(event, "type")];
  if (event_id === null || event_type === null) return null;
  const [subject = "", happened = ""] = event_type.split(".");
  const kind = entryOf(KINDS, subject) ?? "other";
  const status = entryOf(STATUSES, happened) ?? "unknown";
  const signal = {
    ...SILENT_SIGNAL,
    kind,
    status,
    attempt_id: uuidAt(event, "data.reference"),
    provider_id: textAt(event, "data.id"),
    amount: wholeAt(event, "data.amount"),
    currency: currencyAt(event, "data.currency"),
    occurred_at: timeAt(event, "timestamp"),
    failure_code: failureOf(textAt(event, "data.failure_code"), status),
  };
  return { event_id, event_type, signal };
}

const KINDS: Record<string, PaymentSignalKind> = {
  payment: "charge",
  refund: "refund",
  payout: "payout",
  dispute: "dispute",
};

const STATUSES: Record<string, PaymentSignalStatus> = {
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
  expired: "expired",
  processing: "processing",
};

/** Words of the sender's that are ours too. */
const FAILURES: readonly PaymentFailureCode[] = [
  "authentication_failed",
  "cancelled",
  "card_declined",
  "expired",
  "insufficient_funds",
  "limit_reached",
  "not_allowed",
  "payee_not_found",
  "payer_not_found",
  "rejected",
];

function failureOf(word: string | null, status: PaymentSignalStatus): PaymentFailureCode | null {
  if (status !== "failed") return null;
  return FAILURES.find((code) => code === word) ?? "provider_error";
}

function keyOf(secret: string): Bytes {
  const key = fromBase64(secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : secret);
  if (key === null || key.length === 0) {
    throw new Problem("not_configured", { cause: "a Standard Webhooks secret is not base64" });
  }
  return key;
}
