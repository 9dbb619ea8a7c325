import type { Bytes } from "../bytes.ts";

const ENCODER = new TextEncoder();
const HEADER = /^sha256=([0-9a-f]{64})$/;
const HMAC = { name: "HMAC", hash: "SHA-256" };

/** Imported once per isolate and secret. */
const keys = new Map<string, Promise<CryptoKey>>();

/**
 * Tells whether Meta signed this exact body with one of our app secrets; `crypto.subtle.verify` compares in constant time.
 *
 * @param body - the raw bytes: Meta escapes non-ASCII, so re-serialised JSON does not verify
 * @param header - `X-Hub-Signature-256`: `sha256=` and lower-case hex
 * @see Meta, Webhooks: "Validating payloads"
 */
export async function isSignedByMeta(
  body: Bytes,
  header: string | undefined,
  secrets: readonly string[],
): Promise<boolean> {
  const hex = HEADER.exec(header ?? "")?.[1];
  if (!hex) return false;
  const signature = fromHex(hex);
  for (const secret of secrets) {
    if (await crypto.subtle.verify(HMAC, await keyOf(secret), signature, body)) return true;
  }
  return false;
}

function keyOf(secret: string): Promise<CryptoKey> {
  const known = keys.get(secret);
  if (known) return known;
  const key = crypto.subtle.importKey("raw", ENCODER.encode(secret), HMAC, false, ["verify"]);
  keys.set(secret, key);
  return key;
}

function fromHex(hex: string): Bytes {
  const bytes = new Uint8Array(hex.length / 2);
  for (let index = 0; index < bytes.length; index++) bytes[index] = parseInt(hex.slice(2 * index, 2 * index + 2), 16);
  return bytes;
}
