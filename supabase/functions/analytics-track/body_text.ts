import type { Bytes } from "shared/bytes.ts";
import { inflate } from "shared/http/inflate.ts";
import { readBody } from "shared/http/read_body.ts";
import { Problem } from "shared/problem.ts";

/** Not strict: one odd byte must not cost a batch. */
const UTF8 = new TextDecoder("utf-8");
const CODINGS = ["gzip", "x-gzip", "deflate", "identity"];
const BASE64 = /^[A-Za-z0-9+/=_\s-]+$/;

/**
 * The JSON text of a body, however it is packed: Content-Type is not looked at, because no two libraries agree on it; gzip
 * and zlib are known by their first bytes, whatever the headers say; forms (`data=`) and base64 are unpacked (PostHog).
 *
 * @throws payload_too_large (413), invalid_body_encoding (400), unsupported_content_encoding (415)
 */
export async function bodyText(request: Request, maxBytes: number): Promise<string> {
  const bytes = await readBody(request, maxBytes);
  const text = UTF8.decode(await unpacked(bytes, codingOf(request.headers, bytes), maxBytes));
  if (isJson(text)) return text;
  const packed = formData(text) ?? text;
  const inner = isJson(packed) ? null : fromBase64(packed);
  return inner ? UTF8.decode(await unpacked(inner, "identity", maxBytes)) : packed;
}

/** A proxy may have inflated the body and left the header, so the header is believed only where the bytes say nothing. */
function codingOf(headers: Headers, bytes: Bytes): string {
  const coding = headers.get("content-encoding")?.trim().toLowerCase() || "identity";
  if (CODINGS.includes(coding) || startsAsJson(bytes) || formatOf(bytes)) return coding;
  throw new Problem("unsupported_content_encoding", { headers: { "accept-encoding": "gzip, deflate" } });
}

async function unpacked(bytes: Bytes, coding: string, maxBytes: number): Promise<Bytes> {
  const format = formatOf(bytes) ?? (coding === "deflate" && !startsAsJson(bytes) ? "deflate-raw" : null);
  return format ? await inflate(bytes, format, maxBytes) : bytes;
}

/** By the first two bytes (RFC 1952, 2.3.1; RFC 1950, 2.2): neither JSON, forms nor base64 begin so. */
function formatOf([first = 0, second = 0]: Bytes): "gzip" | "deflate" | null {
  if (first === 0x1f && second === 0x8b) return "gzip";
  return first === 0x78 && [0x01, 0x5e, 0x9c, 0xda].includes(second) ? "deflate" : null;
}

function startsAsJson([first = 0]: Bytes): boolean {
  return first === 0x7b || first === 0x5b;
}

function isJson(text: string): boolean {
  return /^\s*[[{]/.test(text);
}

function formData(text: string): string | null {
  return /^[\w.-]+=/.test(text) ? new URLSearchParams(text).get("data") : null;
}

/** Bytes from base64, also where a form has made spaces of its plus signs; null when it is none. */
function fromBase64(text: string): Bytes | null {
  if (!BASE64.test(text)) return null;
  try {
    const binary = atob(text.trim().replaceAll(" ", "+").replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
