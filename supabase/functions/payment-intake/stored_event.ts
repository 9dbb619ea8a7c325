import { toBase64 } from "shared/base64.ts";
import type { Bytes } from "shared/bytes.ts";
import { toHex } from "shared/hex.ts";
import { isDeeperThan, jsonbSafe } from "shared/http/hostile_json.ts";
import { type PaymentEvent, SILENT_SIGNAL } from "shared/payments/payment_signal.ts";

/** A webhook event as it is stored. */
export interface StoredEvent extends PaymentEvent {
  payload: Record<string, unknown>;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });
const MAX_DEPTH = 64;
/** What the index of event ids takes. */
const MAX_ID_LENGTH = 255;
const NOT_UNDERSTOOD = { event_id: null, signal: SILENT_SIGNAL };
/** With these one could confirm or repeat a payment, so they are not kept. */
const SECRET_NAMES = new Set(["authorization_code", "client_secret", "cvv", "email_token", "pin", "token"]);

/**
 * What is stored of an authentic delivery: its JSON without secrets and without what jsonb cannot hold, under the
 * provider's id of the event. What cannot be read is kept as it came, under the digest of its bytes.
 */
export async function storedEvent(
  body: Bytes,
  signalOf: (event: unknown) => PaymentEvent | null,
): Promise<StoredEvent> {
  const payload = readable(body);
  const event = payload && signalOf(payload);
  const { event_id, event_type, signal } = event ??
    { ...NOT_UNDERSTOOD, event_type: payload ? "unknown" : "unreadable" };
  return {
    event_id: event_id && event_id.length <= MAX_ID_LENGTH ? event_id : `sha256:${await sha256(body)}`,
    event_type,
    payload: payload ?? { raw_base64: toBase64(body) },
    signal,
  };
}

/** A body's JSON object, fit for jsonb; undefined when it has none. */
export function readable(body: Bytes): Record<string, unknown> | undefined {
  try {
    const text = UTF8.decode(body);
    if (isDeeperThan(text, MAX_DEPTH)) return undefined;
    const { value } = jsonbSafe(JSON.parse(text, (name, value) => SECRET_NAMES.has(name) ? undefined : value));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** The digest of a body, in hex: tells copies where the provider does not. */
export async function sha256(body: Bytes): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", body)));
}
