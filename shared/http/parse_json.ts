import { Problem } from "../problem.ts";
import { findUnstorable, isDeeperThan, mayBeUnstorable } from "./hostile_json.ts";

/** Strict: bytes that are not UTF-8 would otherwise become U+FFFD in silence. A byte order mark is skipped. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Parses JSON that a client sent to one of our own routes.
 *
 * @throws invalid_body_encoding, body_too_deep, invalid_json, invalid_text (all 400)
 */
export function parseJson(bytes: Uint8Array, { maxDepth }: { maxDepth: number }): unknown {
  const text = decode(bytes);
  if (isDeeperThan(text, maxDepth)) {
    throw new Problem("body_too_deep", { detail: `At most ${maxDepth} levels of arrays and objects are accepted.` });
  }
  const value = parse(text);
  const unstorable = mayBeUnstorable(text) ? findUnstorable(value) : undefined;
  if (unstorable === undefined) return value;
  const detail = "contains U+0000 or half of a surrogate pair, which no text column can hold";
  throw new Problem("invalid_text", { errors: [{ pointer: unstorable, detail }] });
}

function decode(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new Problem("invalid_body_encoding", { detail: "The body is not UTF-8." });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem("invalid_json", text === "" ? { detail: "The body is empty." } : {});
  }
}
