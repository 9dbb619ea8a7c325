import { isCurrency, MINOR_UNITS } from "../../money.ts";

/** Paystack writes every currency in hundredths, also those that have none: 500 francs are 50000. */
const DECIMALS = 2;

/** Paystack's amount in minor units; null when the currency cannot have it. */
export function fromPaystackAmount(amount: number, currency: string): number | null {
  if (!isCurrency(currency)) return null;
  const minor = amount / 10 ** (DECIMALS - MINOR_UNITS[currency]);
  return Number.isSafeInteger(minor) ? minor : null;
}
