import { toBase64 } from "../base64.ts";
import type { Bytes } from "../bytes.ts";

const PREFIX = "whsec_";
const encoder = new TextEncoder();

/** What is signed: the message's id, equal in all attempts, when this attempt is made, and the body, byte for byte. */
export interface SignedMessage {
  id: string;
  sentAt: Date;
  body: string;
}

/**
 * The headers by which a receiver knows that a message is ours: one signature by each secret, so that a receiver may hold
 * either one of two while they change over.
 *
 * @param secrets - `whsec_` and base64, the newest first
 * @see Standard Webhooks 1.0.0, "Signature scheme"
 */
export async function webhookHeaders(
  { id, sentAt, body }: SignedMessage,
  secrets: readonly string[],
): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(sentAt.getTime() / 1_000));
  const signed = encoder.encode(`${id}.${timestamp}.${body}`);
  const signatures = await Promise.all(secrets.map(async (secret) => `v1,${await signature(secret, signed)}`));
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}

async function signature(secret: string, signed: Bytes): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", keyBytes(secret), algorithm, false, ["sign"]);
  return toBase64(new Uint8Array(await crypto.subtle.sign("HMAC", key, signed)));
}

/** The HMAC's key is what the base64 stands for, not the text. */
function keyBytes(secret: string): Bytes {
  return Uint8Array.from(atob(secret.slice(PREFIX.length)), (character) => character.charCodeAt(0));
}
