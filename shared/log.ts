/** What a log line may carry: names, numbers and codes; never a body, a phone number or a token. */
export type LogFields = Record<string, string | number | boolean | null | undefined>;
/** How urgent a line is; the platform shows it as the line's level. */
export type LogLevel = "info" | "warn" | "error";

/** The platform cuts lines at 10,000 characters, and a cut line is no longer JSON. */
const MAX_LINE = 9_900;
const MAX_VALUE = 500;

const PRIVATE_FIELD =
  /token|secret|password|passwd|otp|api_?key|authorization|cookie|signature|phone|msisdn|wa_id|body|payload/i;

/** Alternatives are tried in order: ids and times first, so that their digits are not taken for a phone number. */
const HARMLESS = [
  String.raw`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`,
  String.raw`\b[0-9a-f]{32}\b`,
  String.raw`\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?\b`,
].join("|");
const SENSITIVE = [
  String.raw`\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?`,
  String.raw`\b(?:sb_(?:publishable|secret)|whsec|[srp]k_(?:live|test))_[\w+/=-]+`,
  String.raw`\bEAA[A-Za-z0-9]{16,}`,
  // A WhatsApp message id is base64 that contains the sender's number.
  String.raw`\bwamid\.[\w+/=-]+`,
  String.raw`\b(?:Bearer|Basic)\s+[\w.~+/=-]+`,
  String.raw`(?<!\d)\+?\(?\d(?:[ ().-]{0,2}\d){8,14}(?!\d)`,
].join("|");
const GUARD = new RegExp(`(${HARMLESS})|${SENSITIVE}`, "gi");

/**
 * Writes one JSON line to the log.
 *
 * @param event - `area.event`, a constant: never a sentence
 */
export function log(event: string, fields: LogFields = {}, level: LogLevel = "info"): void {
  const guarded: LogFields = {};
  for (const name in fields) guarded[name] = guard(name, fields[name]);
  write(JSON.stringify({ ts: new Date().toISOString(), level, event, ...guarded }), event, level);
}

/** Replaces what looks like a phone number (9 to 15 digits), a token or a key in a text that will be logged. */
export function redact(text: string): string {
  return text.replace(GUARD, (_match, harmless?: string) => harmless ?? "[redacted]");
}

function guard(name: string, value: LogFields[string]): LogFields[string] {
  if (value === null || value === undefined || typeof value === "boolean") return value;
  if (PRIVATE_FIELD.test(name)) return "[redacted]";
  if (typeof value === "number") return Math.abs(value) >= 1e8 ? redact(String(value)) : value;
  // Redacted before it is cut: half a token is still a secret.
  return redact(value).slice(0, MAX_VALUE);
}

function write(line: string, event: string, level: LogLevel): void {
  const fitting = line.length <= MAX_LINE ? line : JSON.stringify({ level, event, truncated: true });
  if (level === "error") console.error(fitting);
  else if (level === "warn") console.warn(fitting);
  else console.log(fitting);
}
