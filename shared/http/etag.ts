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
 * Answers with JSON under a strong tag, or 304 when the client already has it.
 *
 * @param json - the exact text that is sent
 */
export async function conditionalJson(c: Context, json: string, cacheControl = "private, no-cache"): Promise<Response> {
  const etag = await strongEtag(json);
  const headers = { etag, "cache-control": cacheControl };
  if (matchesEtag(c.req.header("if-none-match"), etag)) return c.body(null, 304, headers);
  return c.body(json, 200, { ...headers, "content-type": "application/json" });
}

function opaque(etag: string): string {
  return etag.replace(/^W\//, "");
}
