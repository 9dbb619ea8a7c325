import { answered, refused } from "./answered.ts";
import type { PaymentProvider } from "./payment_provider.ts";

/**
 * A provider whose own page takes the money: the payer's app opens it with our reference, we only look up what came of
 * it. It takes no orders from us, so refunds are made on the provider's dashboard.
 */
export function checkoutPage(check: PaymentProvider["check"]): PaymentProvider {
  return {
    charge: (attempt) =>
      Promise.resolve(
        answered(attempt, { status: "processing" }, { type: "pay_with_reference", reference: attempt.id }),
      ),
    refund: (attempt) => Promise.resolve(refused(attempt, "not_allowed")),
    payout: (attempt) => Promise.resolve(refused(attempt, "not_allowed")),
    check,
  };
}
