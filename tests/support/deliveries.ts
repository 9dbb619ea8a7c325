const ENCODER = new TextEncoder();

/** Our number in tests; the local stack's development value. */
export const NUMBER = "100000000000001";

let sequence = 0;

/** Seconds since 1970 as Meta writes them, some seconds ago. */
export function secondsAgo(seconds = 0): string {
  return String(Math.floor(Date.now() / 1000) - seconds);
}

/** A body with one change. */
export function change(field: string, value: unknown, entry: Record<string, unknown> = {}): Uint8Array<ArrayBuffer> {
  const envelope = {
    object: "whatsapp_business_account",
    entry: [{ id: "1020", ...entry, changes: [{ field, value }] }],
  };
  return ENCODER.encode(JSON.stringify(envelope));
}

/** A value of the field `messages` for our number. */
export function inbox(value: Record<string, unknown>): Record<string, unknown> {
  const metadata = { display_phone_number: "250788000000", phone_number_id: NUMBER };
  return { messaging_product: "whatsapp", metadata, ...value };
}

/** A text message from somebody, now, with a new id unless told otherwise. */
export function text(fields: Record<string, unknown> = {}): Record<string, unknown> {
  const id = `wamid.test${sequence++}`;
  return { id, from: "250788000001", timestamp: secondsAgo(), type: "text", text: { body: "Muraho" }, ...fields };
}

/** A delivery of these messages. */
export function messages(...list: unknown[]): Uint8Array<ArrayBuffer> {
  return change("messages", inbox({ messages: list }));
}

/** A delivery of these statuses. */
export function statuses(...list: unknown[]): Uint8Array<ArrayBuffer> {
  return change("messages", inbox({ statuses: list }));
}

/** A status of a message, now. */
export function status(id: string, name: string, fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { id, status: name, timestamp: secondsAgo(), recipient_id: "250788000001", ...fields };
}

/** Text that is no JSON of ours, as bytes. */
export function bytesOf(content: string): Uint8Array<ArrayBuffer> {
  return ENCODER.encode(content);
}
