import { formatMoney, isCurrency } from "../money.ts";
import type { Locale } from "./session.ts";

/** Metres for people: "300 m", "4.2 km". */
export function distanceText(meters: number, locale: Locale): string {
  if (meters < 950) return `${Math.max(50, Math.round(meters / 50) * 50)} m`;
  const format = new Intl.NumberFormat([locale, "en"], { maximumFractionDigits: meters < 9_950 ? 1 : 0 });
  return `${format.format(meters / 1000)} km`;
}

/** Minor units as text, as money for people; empty where nothing is known. */
export function moneyText(
  amount: string | null | undefined,
  currency: string | null | undefined,
  locale: Locale,
): string {
  if (!amount || !currency || !isCurrency(currency) || !/^-?\d{1,19}$/.test(amount)) return "";
  return formatMoney(BigInt(amount), currency, locale);
}
