import { createHmac } from "node:crypto";
import { APP_SECRET } from "../../scripts/fakes/graph/deliver.ts";
import { metaJson } from "../../scripts/fakes/graph/meta_json.ts";

/** What a delivery holds, besides what every one of Meta's holds. */
export interface DeliveryOptions {
  items?: number;
  /** Inbound messages of people, or statuses of messages that we sent. */
  kind?: "messages" | "statuses";
  /** Senders are drawn from this many people. */
  people?: number;
  /** The first of those people. */
  firstPerson?: number;
  /** Of each message; by default a short one. */
  text?: string;
}

const PHONE = { display_phone_number: "250788000001", phone_number_id: "100000000000001" };
const SHORT_TEXT = "Muraho, nshaka moto iva Nyabugogo ijya Kimironko saa mbiri za mugitondo.";

/** The bytes of one delivery as Meta writes it; no two are alike. */
export function delivery(options: DeliveryOptions = {}): Uint8Array<ArrayBuffer> {
  const { items = 1, kind = "messages" } = options;
  const people = peopleOf(options);
  const list = people.map((waId) => kind === "messages" ? message(waId, options.text) : status(waId));
  const contacts = kind === "messages" ? { contacts: [...new Set(people)].map(contact) } : {};
  const value = { messaging_product: "whatsapp", metadata: PHONE, ...contacts, [kind]: list };
  const entry = [{ id: "200000000000001", changes: [{ value, field: "messages" }] }];
  if (list.length !== items) throw new Error("too few items");
  return new TextEncoder().encode(metaJson({ object: "whatsapp_business_account", entry }));
}

/** What Meta sends along with these bytes. */
export function deliveryHeaders(body: Uint8Array): Record<string, string> {
  return {
    "content-type": "application/json",
    "accept": "*/*",
    "user-agent": "facebookexternalua",
    "x-forwarded-for": "173.252.88.1",
    "x-hub-signature": `sha1=${createHmac("sha1", APP_SECRET).update(body).digest("hex")}`,
    "x-hub-signature-256": `sha256=${createHmac("sha256", APP_SECRET).update(body).digest("hex")}`,
  };
}

/** Different people while there are enough of them, in an order that chance gives. */
function peopleOf({ items = 1, people = 1_000, firstPerson = 0 }: DeliveryOptions): string[] {
  const start = Math.floor(Math.random() * people);
  return Array.from({ length: items }, (_, index) => String(250788000100 + firstPerson + (start + index) % people));
}

function message(waId: string, text = SHORT_TEXT): unknown {
  return { from: waId, id: wamid(waId), timestamp: now(), text: { body: text }, type: "text" };
}

function status(waId: string): unknown {
  const pricing = { billable: true, pricing_model: "PMP", type: "regular", category: "utility" };
  return { id: wamid(waId), status: "delivered", timestamp: now(), recipient_id: waId, pricing };
}

function contact(waId: string): unknown {
  return { profile: { name: `Rider ${waId.slice(-4)}` }, wa_id: waId };
}

/** As Meta builds them: the person's number and 20 hex digits in base64. */
function wamid(waId: string): string {
  const unique = crypto.randomUUID().replaceAll("-", "").slice(0, 20).toUpperCase();
  return `wamid.${btoa(`\x1d\x18\x0c${waId}\x15\x02\0\x12\x18\x14${unique}\0`)}`;
}

function now(): string {
  return String(Math.floor(Date.now() / 1_000));
}
