/** Currencies without decimals that Stripe nevertheless writes with two (Stripe: "Supported currencies, special cases"). */
const IN_HUNDREDTHS = new Set(["UGX"]);

/** Our minor units as Stripe counts them: the same but for UGX. */
export function stripeAmount(minor: number, currency: string): number {
  return IN_HUNDREDTHS.has(currency) ? minor * 100 : minor;
}

/** Stripe's amount in minor units; null when the currency cannot have it. */
export function fromStripeAmount(amount: number, currency: string): number | null {
  const minor = IN_HUNDREDTHS.has(currency) ? amount / 100 : amount;
  return Number.isSafeInteger(minor) ? minor : null;
}
