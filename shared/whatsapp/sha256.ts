import type { Bytes } from "../bytes.ts";

/** The SHA-256 of these bytes in lower-case hex. */
export async function sha256Hex(bytes: Bytes): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** A SHA-256 in lower-case hex, as Meta writes it in the API (hex) or in webhooks (base64); undefined when it is none. */
export function asSha256Hex(text: string): string | undefined {
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  if (!/^[A-Za-z0-9+/]{43}=$/.test(text)) return undefined;
  return toHex(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)));
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
