import { answered } from "shared/payments/answered.ts";
import type { PaymentAttempt, PaymentProvider, ProviderAnswer } from "shared/payments/payment_provider.ts";

/** An attempt as `claim_payment_attempts()` gives it. */
export interface ClaimedAttempt extends PaymentAttempt {
  /** When the provider first answered. */
  asked_at: string | null;
  /** Whether the transaction still waits for it: it may have been cancelled, or have expired. */
  is_open: boolean;
}

/** An attempt that is due, leased to us. */
export interface PaymentClaim {
  id: string;
  lease_token: number;
  /** `ask`: no request of ours has been answered yet. */
  action: "ask" | "check";
  attempt: ClaimedAttempt;
  correlation_id: string | null;
}

/** As long as a payer may take to approve: what the provider does not know by then will not come by itself. */
const YOUNG_MS = 10 * 60_000;

/**
 * What the provider says of an attempt: asked for when it never was, asked about otherwise. What the provider has never
 * heard of is asked for again, under the same id, while it is young and wanted; later it has come to nothing.
 */
export async function paymentAnswer(
  provider: PaymentProvider,
  { action, attempt }: PaymentClaim,
  now: Date,
): Promise<ProviderAnswer> {
  if (action === "ask") return await provider[attempt.kind](attempt);
  const answer = await provider.check(attempt);
  if (answer.kind !== "not_found") return answer;
  if (attempt.is_open && isYoung(attempt, now)) return await provider[attempt.kind](attempt);
  return answered(attempt, { status: "expired", failure_code: "expired" });
}

function isYoung({ asked_at }: ClaimedAttempt, now: Date): boolean {
  return asked_at === null || now.getTime() - Date.parse(asked_at) < YOUNG_MS;
}
