import type { Json } from "../corpus/delivery.ts";

/** JSON with sorted keys, NUL and lone surrogates replaced: equal content gives equal text. */
export function canonical(json: unknown): string {
  return JSON.stringify(json, (_, value) => {
    if (typeof value === "string") return clean(value);
    if (!isObject(value)) return value;
    const members = Object.entries(value).map(([key, member]) => [clean(key), member] as const);
    return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Tells whether it is a JSON object, not a list and not null. */
export function isObject(json: unknown): json is Json {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** A list as it is, anything else as an empty one. */
export function listOf(json: unknown): unknown[] {
  return Array.isArray(json) ? json : [];
}

/** A non-empty string member, cleaned as the database holds it, or null. */
export function textAt(json: unknown, member: string): string | null {
  const text = isObject(json) ? json[member] : undefined;
  return typeof text === "string" && text !== "" ? clean(text) : null;
}

/** Text as jsonb can hold it. */
export function clean(text: string): string {
  return text.replaceAll("\0", "\ufffd").toWellFormed();
}
