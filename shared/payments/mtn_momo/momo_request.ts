import { decimalOf, isCurrency } from "../../money.ts";
import type { PaymentAttempt } from "../payment_provider.ts";
import { callbackToken } from "../webhooks/mtn_momo.ts";
import type { MomoApi } from "./momo_api.ts";

/** What MTN shows to both sides holds so many characters. */
const MAX_NOTE = 160;

/** The body of a request; null when the attempt lacks what MTN asks for. */
export function momoBody(attempt: PaymentAttempt): Record<string, unknown> | null {
  const { kind, amount, currency, reference, phone, original_attempt_id } = attempt;
  if (!isCurrency(currency)) return null;
  const note = { payerMessage: messageOf(attempt), payeeNote: reference };
  const money = { amount: decimalOf(BigInt(amount), currency), currency, externalId: reference, ...note };
  if (kind === "refund") {
    return original_attempt_id ? { ...money, referenceIdToRefund: original_attempt_id } : null;
  }
  // MTN takes a number without its plus.
  const party = { partyIdType: "MSISDN", partyId: phone?.replace(/^\+/, "") };
  return phone === null ? null : { ...money, [kind === "charge" ? "payer" : "payee"]: party };
}

/** Under which id MTN keeps the request, and where it is to report what became of it. An empty address is refused. */
export async function momoHeaders({ callback }: MomoApi, attempt: PaymentAttempt): Promise<Record<string, string>> {
  const headers = { "x-reference-id": attempt.id };
  if (!callback) return headers;
  const { transaction_id } = attempt;
  const token = await callbackToken(transaction_id, callback.secrets);
  return { ...headers, "x-callback-url": `${callback.url}/${transaction_id}/${token}` };
}

/** A pair of units is one character: half of it is left out. */
function messageOf({ description, reference }: PaymentAttempt): string {
  const text = (description ?? "").replace(/\p{Cc}+/gu, " ").trim();
  return text === "" ? reference : text.slice(0, MAX_NOTE).replace(/[\ud800-\udbff]$/, "");
}
