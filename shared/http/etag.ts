import type { Bytes } from "../bytes.ts";
import type { Context } from "hono";

const encoder = new TextEncoder();

/** A strong entity tag: the SHA-256 of the exact bytes, in base64url. */
export async function strongEtag(body: string | Bytes): Promise<string> {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const base64 = btoa(String.fromCharCode(...digest));
  return `"${base64.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}"`;
}

/**
 * A tag of 128 bits, for text that nobody but its reader could make collide: without the trip to another thread that a
 * cryptographic digest takes.
 */
export function quickEtag(text: string): string {
  let a = 0x9e3779b9, b = 0x243f6a88, c = 0xb7e15162, d = 0x6a09e667;
  // Two UTF-16 units at a time; the last step takes the length, and the odd unit if there is one.
  for (let at = 0; at <= text.length; at += 2) {
    const units = at + 1 < text.length
      ? text.charCodeAt(at) | text.charCodeAt(at + 1) << 16
      : (at < text.length ? text.charCodeAt(at) : 0) ^ text.length << 16;
    a = Math.imul(a ^ units, 0x85ebca6b);
    a ^= a >>> 15;
    b = Math.imul(b ^ units, 0xc2b2ae35);
    b ^= b >>> 13;
    c = Math.imul(c ^ units, 0x27d4eb2f);
    c ^= c >>> 14;
    d = Math.imul(d ^ units, 0x165667b1);
    d ^= d >>> 16;
  }
  return `"${lane(a)}-${lane(b)}-${lane(c)}-${lane(d)}"`;
}

function lane(hash: number): string {
  return (hash >>> 0).toString(36);
}

/**
 * Tells whether an `If-None-Match` header names this tag: weakly, because proxies weaken a tag when they compress.
 *
 * @see RFC 9110, 8.8.3.2 and 13.1.2
 */
export function matchesEtag(ifNoneMatch: string | null | undefined, etag: string): boolean {
  if (!ifNoneMatch) return false;
  if (ifNoneMatch.trim() === "*") return true;
  const wanted = opaque(etag);
  return (ifNoneMatch.match(/(?:W\/)?"[^"]*"/g) ?? []).some((candidate) => opaque(candidate) === wanted);
}

/**
 * Answers with JSON under a tag of its text, or 304 when the client already has it.
 *
 * @param json - the exact text that is sent
 */
export function conditionalJson(c: Context, json: string, cacheControl = "private, no-cache"): Response {
  const etag = quickEtag(json);
  const headers = { etag, "cache-control": cacheControl };
  if (matchesEtag(c.req.header("if-none-match"), etag)) return c.body(null, 304, headers);
  return c.body(json, 200, { ...headers, "content-type": "application/json" });
}

function opaque(etag: string): string {
  return etag.replace(/^W\//, "");
}
