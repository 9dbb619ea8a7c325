import * as z from "zod";
import type { PaymentFailureCode, PaymentSignalStatus } from "../payment_signal.ts";

/** How an attempt stands, in our words. */
export interface MomoStanding {
  status: PaymentSignalStatus;
  failure_code: PaymentFailureCode | null;
}

/** A reason is a bare code in some answers, and an object with one in others. */
export const MomoReason = z.union([z.string(), z.object({ code: z.string() }).transform(({ code }) => code)]);

/**
 * MTN's reason codes. A request whose other party is `ONGOING` or `DELAYED` is not decided, whatever stands beside it.
 *
 * @see MTN, MoMo API: "Common errors"
 */
const REASONS: Record<string, PaymentFailureCode | "undecided"> = {
  APPROVAL_REJECTED: "rejected",
  COULD_NOT_PERFORM_TRANSACTION: "expired", // no approval within five minutes
  EXPIRED: "expired",
  INTERNAL_PROCESSING_ERROR: "provider_error",
  INVALID_CALLBACK_URL_HOST: "provider_error",
  INVALID_CURRENCY: "provider_error",
  NOT_ALLOWED: "not_allowed",
  NOT_ALLOWED_TARGET_ENVIRONMENT: "provider_error",
  NOT_ENOUGH_FUNDS: "insufficient_funds",
  ONGOING: "undecided",
  PAYEE_DELAYED: "undecided",
  PAYEE_NOT_ALLOWED_TO_RECEIVE: "not_allowed",
  PAYEE_NOT_FOUND: "payee_not_found",
  PAYER_DELAYED: "undecided",
  PAYER_LIMIT_REACHED: "limit_reached",
  PAYER_NOT_FOUND: "payer_not_found",
  PAYMENT_NOT_APPROVED: "rejected",
  RESOURCE_ALREADY_EXIST: "undecided",
  RESOURCE_NOT_FOUND: "provider_error",
  SERVICE_UNAVAILABLE: "provider_error",
  TRANSACTION_CANCELED: "cancelled",
};

/** Codes that MTN answers with a 500 although they are refusals; any other 5xx may stand for a request that was taken. */
const REFUSED_WITH_500 = new Set([
  "INVALID_CALLBACK_URL_HOST",
  "INVALID_CURRENCY",
  "NOT_ALLOWED",
  "NOT_ALLOWED_TARGET_ENVIRONMENT",
  "PAYEE_NOT_ALLOWED_TO_RECEIVE",
  "PAYEE_NOT_FOUND",
  "PAYER_LIMIT_REACHED",
  "PAYER_NOT_FOUND",
]);

/** What a failure for this reason means; a reason that nobody has documented is the provider's error. */
export function failedFor(reason: string | null): MomoStanding {
  const code = reason === null ? "provider_error" : REASONS[reason] ?? "provider_error";
  if (code === "undecided") return { status: "processing", failure_code: null };
  return { status: code === "expired" || code === "cancelled" ? code : "failed", failure_code: code };
}

/** Whether a refusal with this status and code is MTN's own and final. */
export function isRefusal(status: number, reason: string | null): boolean {
  if (status === 500) return reason !== null && REFUSED_WITH_500.has(reason);
  return status >= 400 && status < 500 && status !== 408;
}
