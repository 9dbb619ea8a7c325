import { MAX_ITEM_BYTES } from "./limits.ts";

const encoder = new TextEncoder();
/** Characters that are kept of a call that is too large to keep. */
const KEPT_CHARACTERS = 2_000;
const MAX_KEPT_DEPTH = 16;
const MAX_KEPT_ENTRIES = 200;

/** Tells whether a value nests arrays and objects deeper than `maxDepth`; it looks no deeper than that. */
export function isNestedDeeperThan(value: unknown, maxDepth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (maxDepth === 0) return true;
  return Object.values(value).some((inner) => isNestedDeeperThan(inner, maxDepth - 1));
}

/** Tells whether a value takes more than the bytes of one call as JSON; it must not be nested too deeply. */
export function isTooLarge(value: unknown): boolean {
  const json = JSON.stringify(value);
  // A UTF-16 unit takes one to three bytes.
  if (json.length > MAX_ITEM_BYTES) return true;
  return json.length * 3 > MAX_ITEM_BYTES && encoder.encode(json).length > MAX_ITEM_BYTES;
}

/** What is kept of a call that was rejected: all of it, or its beginning in place of the rest. */
export function kept(value: unknown): unknown {
  const pruned = prune(value, MAX_KEPT_DEPTH);
  return isTooLarge(pruned) ? { beginning: cut(JSON.stringify(pruned)) } : pruned;
}

function prune(value: unknown, depth: number): unknown {
  if (typeof value === "string") return value.length > MAX_ITEM_BYTES ? cut(value) : value;
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) return "…";
  if (Array.isArray(value)) return value.slice(0, MAX_KEPT_ENTRIES).map((inner) => prune(inner, depth - 1));
  const entries = Object.entries(value).slice(0, MAX_KEPT_ENTRIES);
  return Object.fromEntries(entries.map(([key, inner]) => [cut(key), prune(inner, depth - 1)]));
}

/** The first characters, without half of the last one, which Postgres could not store. */
export function cut(text: string, length = KEPT_CHARACTERS): string {
  return text.length > length ? text.slice(0, length).replace(/[\ud800-\udbff]$/, "") : text;
}
