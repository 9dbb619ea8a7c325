import { indexOfSecret } from "../../constant_time.ts";
import { toHex } from "../../hex.ts";
import { hmac } from "../hmac.ts";
import { type PaymentEvent, type PaymentSignalStatus, SILENT_SIGNAL } from "../payment_signal.ts";
import { currencyAt, entryOf, textAt } from "./fields.ts";
import { signatureInvalid } from "./signature.ts";

/**
 * The last segment of the callback URL of one transaction. MTN signs nothing, so what it repeats of our own URL is all
 * that tells its callback from anybody else's.
 *
 * @param secrets - `MTN_MOMO_CALLBACK_SECRETS`; the first one makes new tokens
 * @returns 64 hex digits
 */
export async function callbackToken(transactionId: string, secrets: readonly string[]): Promise<string> {
  return await tokenOf(transactionId, secrets[0] ?? "");
}

/**
 * Lets only a callback pass whose URL is one that we gave to MTN.
 *
 * @throws signature_invalid
 */
export async function verifyCallback(transactionId: string, token: string, secrets: readonly string[]): Promise<void> {
  const accepted = await Promise.all(secrets.map((secret) => tokenOf(transactionId, secret)));
  if (await indexOfSecret(token, accepted) < 0) throw signatureInvalid();
}

/**
 * What a callback says: only a hint to look the payment up, because nothing of it is signed. So neither amount nor
 * reasons are taken from it.
 *
 * @param eventId - of our own making: MTN numbers no callbacks
 */
export function callbackSignal(callback: unknown, eventId: string): PaymentEvent {
  return {
    event_id: eventId,
    event_type: `callback.${textAt(callback, "status")?.toLowerCase() ?? "unknown"}`,
    signal: {
      ...SILENT_SIGNAL,
      kind: textAt(callback, "payee.partyId") === null ? "charge" : "payout",
      status: entryOf(STATUSES, textAt(callback, "status")) ?? "unknown",
      provider_id: textAt(callback, "financialTransactionId"),
      currency: currencyAt(callback, "currency"),
    },
  };
}

const STATUSES: Record<string, PaymentSignalStatus> = {
  SUCCESSFUL: "succeeded",
  FAILED: "failed",
  PENDING: "processing",
};

async function tokenOf(transactionId: string, secret: string): Promise<string> {
  return toHex(await hmac(`mtn_momo callback ${transactionId.toLowerCase()}`, secret));
}
