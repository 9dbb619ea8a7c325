/** ISO 8601 as clients write it; a time without a zone is UTC. */
const ISO = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/i;
/** What `timestamptz` and four digits of a year can both hold. */
const EARLIEST = Date.parse("0001-01-01T00:00:00Z");
const LATEST = Date.parse("9999-12-31T23:59:59Z");

/**
 * A client's time in ISO 8601; null where it says none, undefined where it cannot be read.
 *
 * @param value - ISO 8601, or milliseconds since 1970 as a number or text
 */
export function clientTime(value: unknown): string | null | undefined {
  if (value === undefined || value === null || value === "") return null;
  const instant = typeof value === "number" ? value : typeof value === "string" ? parse(value.trim()) : NaN;
  return instant >= EARLIEST && instant <= LATEST ? new Date(instant).toISOString() : undefined;
}

function parse(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const match = ISO.exec(text);
  if (!match) return NaN;
  const isTimeWithoutZone = text.length > 10 && match[1] === undefined;
  return Date.parse(text.replace(" ", "T").replace(",", ".") + (isTimeWithoutZone ? "Z" : ""));
}
