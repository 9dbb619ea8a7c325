import { isCurrency, parseMoney } from "../../../shared/money.ts";
import type { MomoRequest, MomoResource } from "./momo_books.ts";

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** MTN's answer for an error of its own: a code and a message. */
export function momoError(status: number, code: string): Response {
  return Response.json({ code, message: `${code.replaceAll("_", " ").toLowerCase()}.` }, { status });
}

/** The request, if MTN would take it. */
export function readMomoRequest(
  headers: Headers,
  resource: MomoResource,
  body: Record<string, unknown>,
): MomoRequest | Response {
  const id = headers.get("x-reference-id") ?? "";
  const callbackUrl = headers.get("x-callback-url");
  const { amount, currency, externalId, payer, payee, referenceIdToRefund, payerMessage, payeeNote } = body;
  if (!UUID_V4.test(id)) return momoError(400, "INVALID_REFERENCE_ID");
  if (callbackUrl !== null && !URL.canParse(callbackUrl)) return momoError(500, "INVALID_CALLBACK_URL_HOST");
  if (typeof currency !== "string" || !isCurrency(currency)) return momoError(500, "INVALID_CURRENCY");
  if (typeof amount !== "string" || (parseMoney(amount, currency) ?? 0n) <= 0n) return momoError(400, "INVALID_AMOUNT");
  if ([payerMessage, payeeNote].some((note) => String(note).length > 160)) return momoError(400, "INVALID_MESSAGE");
  const party = ((resource === "transfer" ? payee : payer) as { partyId?: string } | undefined)?.partyId ?? null;
  if (resource !== "refund" && !/^\d{6,15}$/.test(party ?? "")) return momoError(400, "INVALID_PARTY");
  return {
    id,
    resource,
    amount,
    currency,
    externalId: String(externalId),
    party,
    refunded: resource === "refund" ? String(referenceIdToRefund) : null,
    callbackUrl,
    payerMessage: String(payerMessage),
    payeeNote: String(payeeNote),
  };
}
