import type { JsonObject } from "./item.ts";

/** Tells whether a value is a JSON object, and not an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
