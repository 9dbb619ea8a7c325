import * as z from "zod";
import type { PaymentSignal, PaymentSignalStatus } from "../payment_signal.ts";
import { fromStripeAmount } from "./stripe_amount.ts";

const Text = z.string().min(1).nullable().catch(null);

/** A PaymentIntent, as far as we use it. */
export const PaymentIntent = z.object({
  id: z.string().startsWith("pi_"),
  status: z.string(),
  amount: z.int(),
  amount_received: z.int().catch(0),
  currency: z.string().toUpperCase(),
  client_secret: Text,
  metadata: z.object({ attempt_id: Text }).catch({ attempt_id: null }),
});

/** A PaymentIntent, as far as we use it. */
export type PaymentIntent = z.output<typeof PaymentIntent>;

/**
 * What a PaymentIntent means. A card that was declined leaves it open: the payer may try another one.
 *
 * @see Stripe, "How PaymentIntents work"
 */
export function intentSignal(intent: PaymentIntent): Partial<PaymentSignal> {
  const status = statusOf(intent.status);
  const amount = status === "succeeded" ? intent.amount_received : intent.amount;
  return {
    status,
    provider_id: intent.id,
    amount: fromStripeAmount(amount, intent.currency),
    currency: intent.currency,
    failure_code: status === "cancelled" ? "cancelled" : null,
  };
}

function statusOf(status: string): PaymentSignalStatus {
  if (status === "succeeded") return "succeeded";
  if (status === "canceled") return "cancelled";
  return status === "processing" || status.startsWith("requires_") ? "processing" : "unknown";
}
