import type { Bytes } from "../../bytes.ts";
import { indexOfSecret } from "../../constant_time.ts";
import { isSigned } from "../hmac.ts";
import { minorUnits } from "../minor_units.ts";
import {
  type PaymentEvent,
  type PaymentSignalKind,
  type PaymentSignalStatus,
  SILENT_SIGNAL,
} from "../payment_signal.ts";
import { currencyAt, entryOf, textAt, timeAt, uuidAt } from "./fields.ts";
import { fromBase64, signatureInvalid } from "./signature.ts";

/**
 * Lets only what knows the secret hash pass: v4 signs the body with it (`flutterwave-signature`), v3 repeats it as it is
 * (`verif-hash`). Neither has a time, and v3 signs nothing: what it says is believed only after a look-up of ours.
 *
 * @throws signature_invalid
 * @see Flutterwave, "Webhooks": verifying webhook signatures
 */
export async function verify(body: Bytes, headers: Headers, secrets: readonly string[]): Promise<void> {
  const given = headers.get("flutterwave-signature");
  const signature = given === null ? null : fromBase64(given);
  if (signature && await isSigned(body, signature, secrets)) return;
  const repeated = headers.get("verif-hash");
  // A delivery with a signature stands by it: the weaker header does not make up for a wrong one.
  if (given === null && repeated !== null && await indexOfSecret(repeated, secrets) >= 0) return;
  throw signatureInvalid();
}

/** What an event of v3 (`event`, `data.tx_ref`) or v4 (`type`, `data.reference`) says. */
export function signalOf(event: unknown): PaymentEvent | null {
  const event_type = textAt(event, "type") ?? textAt(event, "event");
  const provider_id = textAt(event, "data.id");
  if (event_type === null || provider_id === null) return null;
  const said = textAt(event, "data.status")?.toLowerCase() ?? "";
  const status = entryOf(STATUSES, said) ?? "unknown";
  const currency = currencyAt(event, "data.currency");
  const amount = minorUnits(textAt(event, "data.amount"), currency);
  return {
    // v3 numbers no events: a payment changes its status at most once in each way.
    event_id: textAt(event, "webhook_id") ?? `${event_type}:${provider_id}:${said}`,
    event_type,
    signal: {
      ...SILENT_SIGNAL,
      kind: entryOf(KINDS, event_type.split(".")[0]) ?? "other",
      status,
      attempt_id: uuidAt(event, "data.tx_ref") ?? uuidAt(event, "data.reference"),
      provider_id,
      amount: amount !== null && amount >= 0 ? amount : null,
      currency,
      occurred_at: timeAt(event, "data.created_at") ?? timeAt(event, "data.created_datetime"),
      failure_code: status === "failed" ? "provider_error" : null,
    },
  };
}

const KINDS: Record<string, PaymentSignalKind> = {
  charge: "charge",
  refund: "refund",
  transfer: "payout",
  chargeback: "dispute",
};

/** v3 says successful, v4 succeeded; transfers shout. */
const STATUSES: Record<string, PaymentSignalStatus> = {
  successful: "succeeded",
  succeeded: "succeeded",
  completed: "succeeded",
  failed: "failed",
  cancelled: "cancelled",
  pending: "processing",
  new: "processing",
};
