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
  return `"${hash(text).map((lane) => lane.toString(36)).join("-")}"`;
}

/** The same 128 bits as eight UTF-16 units: stands for a part that many texts share, in a text that is tagged. */
export function quickDigest(text: string): string {
  return String.fromCharCode(...hash(text).flatMap((lane) => [lane & 0xffff, lane >>> 16]));
}

/** Four lanes of 32 bits. */
function hash(text: string): number[] {
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
  return [a >>> 0, b >>> 0, c >>> 0, d >>> 0];
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
 * @param etag - another tag of it, if that takes less than reading the whole text
 */
export function conditionalJson(c: Context, json: string, etag = quickEtag(json)): Response {
  const headers = { etag, "cache-control": "private, no-cache" };
  if (matchesEtag(c.req.raw.headers.get("if-none-match"), etag)) return new Response(null, { status: 304, headers });
  return new Response(json, { headers: { ...headers, "content-type": "application/json" } });
}

function opaque(etag: string): string {
  return etag.replace(/^W\//, "");
}
