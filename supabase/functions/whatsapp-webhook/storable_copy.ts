import type { Json } from "shared/db/database.types.ts";
import { isDeeperThan, jsonbSafe, mayBeUnstorable } from "shared/http/hostile_json.ts";

const UTF8 = new TextDecoder("utf-8", { fatal: true });
/** Postgres gives up on JSON some thousand levels deep; such a body is journaled and nothing more. */
const MAX_DEPTH = 1_000;

/**
 * What jsonb can hold of a body that it cannot hold as sent: NUL and lone surrogates become U+FFFD.
 *
 * @returns undefined when the body needs no copy (nearly always), or is no JSON and cannot have one
 */
export function storableCopy(body: Uint8Array): Json | undefined {
  try {
    const text = UTF8.decode(body);
    if (!mayBeUnstorable(text) || isDeeperThan(text, MAX_DEPTH)) return undefined;
    const { value, changed } = jsonbSafe(JSON.parse(text));
    return changed ? value as Json : undefined;
  } catch {
    return undefined;
  }
}
