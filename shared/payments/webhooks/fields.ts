const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Longer ids and codes are none, and no index takes them. */
const MAX_LENGTH = 200;

/** What stands at a path ("data.object.id") of a stranger's JSON. */
export function at(value: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>(
    (inner, name) => isRecord(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined,
    value,
  );
}

/** Text or a number at a path, as text; null when there is neither. */
export function textAt(value: unknown, path: string): string | null {
  const found = at(value, path);
  if (typeof found === "number" && Number.isFinite(found)) return String(found);
  return typeof found === "string" && found !== "" && found.length <= MAX_LENGTH ? found : null;
}

/** A UUID at a path; null when there is none. */
export function uuidAt(value: unknown, path: string): string | null {
  const text = textAt(value, path);
  return text !== null && UUID.test(text) ? text.toLowerCase() : null;
}

/** A whole number from zero at a path; null when there is none. */
export function wholeAt(value: unknown, path: string): number | null {
  const found = at(value, path);
  return Number.isSafeInteger(found) && (found as number) >= 0 ? found as number : null;
}

/** A currency code at a path, in upper case; null when there is none. */
export function currencyAt(value: unknown, path: string): string | null {
  const text = textAt(value, path)?.toUpperCase() ?? "";
  return /^[A-Z]{3}$/.test(text) ? text : null;
}

/** A time at a path, written as Unix seconds or in a form that `Date` reads, as ISO 8601; null when there is none. */
export function timeAt(value: unknown, path: string): string | null {
  const found = at(value, path);
  const time = typeof found === "number" ? new Date(found * 1000) : new Date(typeof found === "string" ? found : NaN);
  // Years of more than four digits are milliseconds taken for seconds, or worse.
  return time.getTime() >= 0 && time.getUTCFullYear() <= 9999 ? time.toISOString() : null;
}

/** What a table says of a stranger's word; undefined when it has no such entry of its own ("constructor"). */
export function entryOf<Entry>(
  table: Readonly<Record<string, Entry>>,
  word: string | null | undefined,
): Entry | undefined {
  return typeof word === "string" && Object.hasOwn(table, word) ? table[word] : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
