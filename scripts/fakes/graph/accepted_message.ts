import type { Random } from "../random.ts";

/** A message that Meta took. */
export interface AcceptedMessage {
  wamid: string;
  phone_number_id: string;
  /** What we called it: `biz_opaque_callback_data`. */
  intent: string | undefined;
  wa_id: string | undefined;
  user_id: string | undefined;
  type: string;
  /** Of its template; `service` for anything else. */
  category: string;
  /** Seconds since 1970. */
  at: number;
  /** Meta takes a user id in `to`, and never delivers. */
  is_lost: boolean;
  body: Record<string, unknown>;
}

/** Why Graph refuses a message: a code and, in some cases, what is wrong. */
export type Fault = readonly [code: number, details?: string];

const DIGITS = /^\+?\d{5,15}$/;
const USER_ID = /^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$/;
const TYPES = [
  "audio",
  "contacts",
  "document",
  "image",
  "interactive",
  "location",
  "reaction",
  "sticker",
  "template",
  "text",
  "video",
];

/** What Graph finds wrong with the body of a send, looking at it as roughly as Graph does. */
export function faultOf(body: Record<string, unknown>): Fault | undefined {
  const { messaging_product, to, recipient, type = "text", biz_opaque_callback_data: intent } = body;
  if (messaging_product !== "whatsapp") return [100, "messaging_product must be whatsapp"];
  if (to === undefined && recipient === undefined) return [131008, "The parameter to is required."];
  if (to !== undefined && !DIGITS.test(String(to)) && !USER_ID.test(String(to))) return [131009, "to is not valid."];
  if (to === undefined && !USER_ID.test(String(recipient))) return [131009, "recipient is not valid."];
  if (!TYPES.includes(String(type))) return [131009, "type is not valid."];
  const content = body[String(type)];
  if (typeof content !== "object" || content === null) return [131008, `The parameter ${type} is required.`];
  if (intent !== undefined && (typeof intent !== "string" || intent.length > 512)) return [131009];
}

/** The message that a valid body becomes. */
export function acceptedMessage(
  body: Record<string, unknown>,
  { phoneNumberId, category, now, random }: { phoneNumberId: string; category: string; now: number; random: Random },
): AcceptedMessage {
  const to = body.to === undefined ? undefined : String(body.to);
  const isPhone = to !== undefined && DIGITS.test(to);
  const wa_id = isPhone ? to.replace("+", "") : undefined;
  return {
    wamid: wamid(wa_id ?? "0", random),
    phone_number_id: phoneNumberId,
    intent: body.biz_opaque_callback_data as string | undefined,
    wa_id,
    user_id: to === undefined ? String(body.recipient) : undefined,
    type: String(body.type ?? "text"),
    category,
    at: Math.floor(now / 1000),
    is_lost: to !== undefined && !isPhone,
    body,
  };
}

/** What Graph answers to a send. */
export function acceptance({ wamid, wa_id, user_id, body }: AcceptedMessage): Response {
  return Response.json({
    messaging_product: "whatsapp",
    contacts: [{ input: body.to ?? body.recipient, wa_id, user_id }],
    messages: [{ id: wamid, ...(body.type === "template" && { message_status: "accepted" }) }],
  });
}

/** As Meta builds them: the person's number and 20 hex digits in base64. */
function wamid(waId: string, random: Random): string {
  return `wamid.${btoa(`\x1d\x18\x0c${waId}\x15\x02\0\x11\x18\x14${random.token(20, "0123456789ABCDEF")}\0`)}`;
}
