import type { Json } from "./delivery.ts";
import { PEOPLE } from "./people.ts";
import * as scene from "./scene.ts";
import type { Scene } from "./scene.ts";

/** The members of a message that are its type's own. */
export type Part = (scene: Scene) => Json;

/** What people write, from plain words to what is awkward to escape. */
const WORDS = [
  "Muraho",
  "Ndashaka moto / taxi i Kimironko 🛵",
  "Où est le chauffeur ?",
  "Nataka gari kesho\n\tsaa 2",
  "STOP",
  "https://maps.example/?q=-1.95,30.06",
  "مرحبا",
  "👩🏾‍🦽‍➡️ e\u0301",
  'back\\slash \\u0000 "quoted"',
  "x".repeat(4096),
];

const text: Part = ({ random }) => ({ type: "text", text: { body: random.pick(WORDS) } });
const inner = (type: string, extra: Part = () => ({})): Part => (s) => ({ type, [type]: extra(s) });

function media(type: string, mime_type: string, extra: Json = {}): Part {
  return inner(type, (s) => ({
    id: scene.digits(s),
    mime_type,
    sha256: s.random.token(43) + "=",
    ...(s.random.chance(0.7) &&
      { url: `https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=${scene.digits(s)}` }),
    ...extra,
  }));
}

function interactive(type: string, reply: Part): Part {
  return (s) => ({
    context: { from: s.phone.display_phone_number, id: scene.wamid(s) },
    type: "interactive",
    interactive: { type, [type]: reply(s) },
  });
}

function failed(type: string, code: number, extra: Json = {}): Part {
  const error = { code, title: "Message type unknown", message: "Message type unknown", error_data: { details: "-" } };
  return () => ({ type, errors: [error], ...extra });
}

const card = (origin?: string): Part => (s) => ({
  type: "contacts",
  contacts: [{
    name: { formatted_name: s.random.pick(PEOPLE).name, first_name: "A" },
    phones: [{ phone: "+250 788 000 321", wa_id: "250788000321", type: "CELL" }],
    ...(origin && { origin }),
  }],
});

const UNSUPPORTED =
  "errors gif group_invite hsm image interactive keep_in_chat link_preview list location media_placeholder order pin poll_creation poll_update product reaction edit";

/** Every inbound message by a name of its own: the members that are not common to all. */
export const MESSAGES: Record<string, Part> = {
  text,
  "text forwarded": (s) => ({ context: { forwarded: true, frequently_forwarded: s.random.chance(0.5) }, ...text(s) }),
  "text in reply": (s) => ({ context: { from: s.phone.display_phone_number, id: scene.wamid(s) }, ...text(s) }),
  "text about a product": (s) => ({
    context: { referred_product: { catalog_id: scene.digits(s), product_retailer_id: "moto/1" } },
    ...text(s),
  }),
  "text in a group": (s) => ({ group_id: s.random.token(24), ...text(s) }),
  "text from an ad": (s) => ({
    referral: {
      source_url: "https://fb.me/1",
      source_id: scene.digits(s),
      source_type: s.random.pick(["ad", "post"]),
      headline: "Gerayo Amahoro",
      body: "",
      media_type: "image",
      image_url: "https://scontent.example/i.jpg",
      ctwa_clid: s.random.token(40),
      welcome_message: { text: "Bite?" },
      ref: "REF:MOTO",
    },
    ...text(s),
  }),
  "text with identity": (s) => ({
    identity: { acknowledged: true, created_timestamp: scene.recent(s), hash: s.random.token(11) + "=" },
    ...text(s),
  }),
  image: media("image", "image/jpeg"),
  "image with caption": media("image", "image/png", { caption: "Plaque RAD 123 A / 📷" }),
  video: media("video", "video/mp4"),
  voice: media("audio", "audio/ogg; codecs=opus", { voice: true }),
  audio: media("audio", "audio/mpeg", { voice: false }),
  document: media("document", "application/pdf", { filename: "assurance \u2013 2026/11.pdf", caption: "" }),
  sticker: media("sticker", "image/webp", { animated: false }),
  "sticker animated": media("sticker", "image/webp", { animated: true }),
  location: inner("location", (s) => ({ latitude: -1.9441 - s.random.next() / 100, longitude: 30.0619 })),
  "location named": inner("location", () => ({
    latitude: -1.95,
    longitude: 30,
    name: "Kigali Heights",
    address: "KG 7 Ave",
    url: "https://kh.example/",
  })),
  contacts: card(),
  "contacts asked for": card("contact_request"),
  "contacts other": card("other"),
  button_reply: interactive("button_reply", () => ({ id: "trip:1/accept", title: "Yego ✅" })),
  list_reply: interactive("list_reply", () => ({ id: "near:2", title: "Moto", description: "≈ 300 m" })),
  "list_reply without description": interactive("list_reply", () => ({ id: "near:3", title: "Cab" })),
  nfm_reply: interactive(
    "nfm_reply",
    () => ({ name: "flow", body: "Sent", response_json: '{"flow_token":"a/b","when":"08:30"}' }),
  ),
  "nfm_reply invalid": interactive(
    "nfm_reply",
    () => ({ name: "flow", body: "Sent", response_json: '{"flow_token":' }),
  ),
  "nfm_reply address": interactive("nfm_reply", () => ({ name: "address_message", response_json: "{}" })),
  "call_permission_reply accept": interactive("call_permission_reply", (s) => ({
    response: "accept",
    expiration_timestamp: s.now + 7 * scene.DAY,
    response_source: "user_action",
  })),
  "call_permission_reply reject": interactive(
    "call_permission_reply",
    () => ({ response: "reject", is_permanent: false }),
  ),
  button: (s) => ({
    context: { from: s.phone.display_phone_number, id: scene.wamid(s) },
    type: "button",
    button: { payload: "STOP", text: "Hagarika" },
  }),
  "button without context": inner("button", () => ({ payload: "a".repeat(256), text: "OK" })),
  reaction: inner("reaction", (s) => ({ message_id: scene.wamid(s), emoji: "👍🏿" })),
  "reaction emptied": inner("reaction", (s) => ({ message_id: scene.wamid(s), emoji: "" })),
  "reaction removed": inner("reaction", (s) => ({ message_id: scene.wamid(s) })),
  order: inner("order", (s) => ({
    catalog_id: scene.digits(s),
    text: "",
    product_items: [{ product_retailer_id: "moto/1", quantity: 2, item_price: 1500.5, currency: "RWF" }],
  })),
  edit: inner("edit", (s) => ({
    original_message_id: scene.wamid(s),
    message: { ...text(s), context: { id: scene.wamid(s) } },
  })),
  revoke: inner("revoke", (s) => ({ original_message_id: scene.wamid(s) })),
  unknown: failed("unknown", 131051),
  request_welcome: () => ({ type: "request_welcome" }),
  "media over 100 MB": failed("unsupported", 131052, { unsupported: { type: "video" } }),
  "a new type": inner("hologram", () => ({ depth: 3 })),
  ...Object.fromEntries(
    UNSUPPORTED.split(" ").map((type) => [
      `unsupported ${type}`,
      failed("unsupported", type === "edit" ? 131060 : 131051, { unsupported: { type } }),
    ]),
  ),
};
