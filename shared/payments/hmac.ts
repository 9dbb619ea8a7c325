import type { Bytes } from "../bytes.ts";

const ENCODER = new TextEncoder();

/** A digest that providers sign with. */
export type HmacHash = "SHA-256" | "SHA-512";

/** Imported once per isolate, secret and digest. */
const keys = new Map<string, Promise<CryptoKey>>();

/**
 * Tells whether one of the secrets made this signature over these bytes; `crypto.subtle.verify` compares in constant
 * time. Every secret is tried, also after a hit, so that time does not tell which one fits.
 */
export async function isSigned(
  bytes: Bytes,
  signature: Bytes,
  secrets: readonly (string | Bytes)[],
  hash: HmacHash = "SHA-256",
): Promise<boolean> {
  const verdicts = await Promise.all(
    secrets.map(async (secret) => await crypto.subtle.verify("HMAC", await keyOf(secret, hash), signature, bytes)),
  );
  return verdicts.includes(true);
}

/** The HMAC of a text. */
export async function hmac(text: string, secret: string, hash: HmacHash = "SHA-256"): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", await keyOf(secret, hash), ENCODER.encode(text)));
}

function keyOf(secret: string | Bytes, hash: HmacHash): Promise<CryptoKey> {
  const name = `${hash} ${typeof secret} ${secret}`;
  const known = keys.get(name);
  if (known) return known;
  const raw = typeof secret === "string" ? ENCODER.encode(secret) : secret;
  const key = crypto.subtle.importKey("raw", raw, { name: "HMAC", hash }, false, ["sign", "verify"]);
  keys.set(name, key);
  return key;
}
