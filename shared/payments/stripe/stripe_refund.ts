import * as z from "zod";
import type { PaymentSignal } from "../payment_signal.ts";
import { fromStripeAmount } from "./stripe_amount.ts";

const Text = z.string().min(1).nullable().catch(null);

/** A refund, as far as we use it. */
export const StripeRefund = z.object({
  id: z.string().regex(/^(re|pyr)_/),
  status: Text,
  amount: z.int(),
  currency: z.string().toUpperCase(),
  metadata: z.object({ attempt_id: Text }).catch({ attempt_id: null }),
});

/** A refund, as far as we use it. */
export type StripeRefund = z.output<typeof StripeRefund>;

const STANDINGS: Record<string, Pick<PaymentSignal, "status" | "failure_code">> = {
  succeeded: { status: "succeeded", failure_code: null },
  pending: { status: "processing", failure_code: null },
  requires_action: { status: "processing", failure_code: null },
  failed: { status: "failed", failure_code: "provider_error" },
  canceled: { status: "cancelled", failure_code: "cancelled" },
};

/** What a refund means. One that succeeded may still fail days later: the bank sends it back. */
export function refundSignal(refund: StripeRefund): Partial<PaymentSignal> {
  return {
    ...STANDINGS[refund.status ?? ""] ?? { status: "unknown" },
    provider_id: refund.id,
    amount: fromStripeAmount(refund.amount, refund.currency),
    currency: refund.currency,
  };
}
