import type { NextAction, PaymentAttempt, ProviderAnswer } from "./payment_provider.ts";
import { type PaymentFailureCode, type PaymentSignal, SILENT_SIGNAL } from "./payment_signal.ts";
import type { NotHeard } from "./provider_call.ts";

/** What a provider said of an attempt when we asked it. */
export function answered(
  attempt: PaymentAttempt,
  said: Partial<PaymentSignal>,
  next_action: NextAction | null = null,
): ProviderAnswer {
  const signal = { ...SILENT_SIGNAL, kind: attempt.kind, attempt_id: attempt.id, evidence: "api" as const, ...said };
  return { kind: "answered", signal, next_action };
}

/** The provider will not do it, or cannot: nothing was moved, and the same request will never be taken. */
export function refused(attempt: PaymentAttempt, failure_code: PaymentFailureCode): ProviderAnswer {
  return answered(attempt, { status: "failed", failure_code });
}

/** Nobody knows whether it was carried out; a look-up tells. */
export function inDoubt(attempt: PaymentAttempt): ProviderAnswer {
  return answered(attempt, { status: "unknown" });
}

/** What a request without an answer means. */
export function unheard(attempt: PaymentAttempt, failure: NotHeard): ProviderAnswer {
  return failure.kind === "not_sent" ? failure : inDoubt(attempt);
}
