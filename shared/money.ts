/** Decimals of the currencies that we serve (ISO 4217). */
export const MINOR_UNITS = {
  BIF: 0,
  CDF: 2,
  EUR: 2,
  GBP: 2,
  KES: 2,
  RWF: 0,
  TZS: 2,
  UGX: 0,
  USD: 2,
} as const;

/** An ISO 4217 code that we serve. */
export type Currency = keyof typeof MINOR_UNITS;
/** A language that we write to people in. */
export type MoneyLocale = "en" | "fr" | "rw" | "sw";

/** What Postgres' bigint holds. */
const LARGEST = 2n ** 63n - 1n;
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

/** Tells whether a code is a currency that we serve. */
export function isCurrency(code: string): code is Currency {
  return Object.hasOwn(MINOR_UNITS, code);
}

/**
 * Reads a decimal amount ("12.50") exactly, as minor units (1250n).
 *
 * @returns null when it is not a decimal number, has more decimals than the currency, or does not fit a bigint
 */
export function parseMoney(amount: string, currency: Currency): bigint | null {
  const [, sign, whole = "", fraction = ""] = DECIMAL.exec(amount.trim()) ?? [];
  const decimals = MINOR_UNITS[currency];
  // A provider may write 500.00 francs: zeros beyond the last decimal change nothing.
  const significant = fraction.replace(/0+$/, "");
  if (sign === undefined || significant.length > decimals) return null;
  const minor = BigInt(whole + significant.padEnd(decimals, "0")) * (sign === "-" ? -1n : 1n);
  return isStorableAmount(minor) ? minor : null;
}

/** Writes minor units as a plain decimal for a provider's API: (1250n, "USD") is "12.50". */
export function decimalOf(minor: bigint, currency: Currency): string {
  const decimals = MINOR_UNITS[currency];
  const digits = (minor < 0n ? -minor : minor).toString().padStart(decimals + 1, "0");
  const cut = digits.length - decimals;
  const sign = minor < 0n ? "-" : "";
  return decimals === 0 ? sign + digits : `${sign}${digits.slice(0, cut)}.${digits.slice(cut)}`;
}

/** Writes an amount for people, as their language does: "RWF 5,000", "5 000 RWF". */
export function formatMoney(minor: bigint, currency: Currency, locale: MoneyLocale): string {
  // V8 knows no Kinyarwanda; without a second choice it would take the machine's own language.
  const format = new Intl.NumberFormat([locale, "en"], {
    style: "currency",
    currency,
    currencyDisplay: "code",
    minimumFractionDigits: MINOR_UNITS[currency],
    maximumFractionDigits: MINOR_UNITS[currency],
  });
  // As text, because a number would lose digits (ECMA-402 reads decimal strings exactly).
  return format.format(decimalOf(minor, currency) as `${number}`);
}

/** Tells whether an amount fits a bigint column. */
export function isStorableAmount(minor: bigint): boolean {
  return minor >= -LARGEST - 1n && minor <= LARGEST;
}
