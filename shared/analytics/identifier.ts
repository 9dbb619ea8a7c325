import { Rejection } from "./item.ts";
import { MAX_ID_LENGTH } from "./limits.ts";

/**
 * What broken code sends in place of an id. As ids they would make one person of everybody.
 *
 * @see PostHog, "Identifying users": ids that are not allowed
 */
const PLACEHOLDERS = new Set([
  ...["", "0", "null", "nil", "none", "nan", "undefined", "true", "false", "[object object]"],
  ...["anonymous", "guest", "id", "email", "distinct_id", "distinctid", "not_authenticated"],
  "00000000-0000-0000-0000-000000000000",
]);

/**
 * An id as text; null where there is none, or only a placeholder of one.
 *
 * @throws id_invalid, id_too_long
 */
export function identifierOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== "string" && typeof value !== "number") throw new Rejection("id_invalid");
  const id = String(value).trim();
  if (PLACEHOLDERS.has(id.toLowerCase())) return null;
  if (id.length > MAX_ID_LENGTH) throw new Rejection("id_too_long");
  return id;
}
