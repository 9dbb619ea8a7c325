import type { Bytes } from "../../bytes.ts";
import { Problem } from "../../problem.ts";

const ENCODER = new TextEncoder();
const UNIX_SECONDS = /^\d{1,12}$/;
/** How far a provider's clock and the network may be from ours, both ways: the tolerance of Stripe's libraries. */
const TOLERANCE_SECONDS = 300;

/** The one answer to every delivery that is not authentic: it does not tell forgers what to improve. */
export function signatureInvalid(): Problem {
  return new Problem("signature_invalid");
}

/** Tells whether a time in Unix seconds is close to now, so that a delivery cannot be recorded and sent again later. */
export function isFresh(timestamp: string, now: Date): boolean {
  return UNIX_SECONDS.test(timestamp) && Math.abs(Number(timestamp) - now.getTime() / 1000) <= TOLERANCE_SECONDS;
}

/** A prefix and the body's bytes, as several providers sign them. */
export function prefixed(prefix: string, body: Bytes): Bytes {
  const start = ENCODER.encode(prefix);
  const bytes = new Uint8Array(start.length + body.length);
  bytes.set(start);
  bytes.set(body, start.length);
  return bytes;
}

/** Bytes from base64; null when it is none. */
export function fromBase64(base64: string): Bytes | null {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
