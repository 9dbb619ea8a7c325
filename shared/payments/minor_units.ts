import { isCurrency, parseMoney } from "../money.ts";

/**
 * A decimal amount of a provider's ("500", "500.00", 12.5) in minor units; null when the currency cannot have it, or no
 * number can hold it exactly.
 */
export function minorUnits(amount: string | number | null | undefined, currency: string | null): number | null {
  if (amount === null || amount === undefined || currency === null || !isCurrency(currency)) return null;
  return exactNumber(parseMoney(String(amount), currency));
}

function exactNumber(amount: bigint | null): number | null {
  const number = Number(amount);
  return amount !== null && Number.isSafeInteger(number) ? number : null;
}
