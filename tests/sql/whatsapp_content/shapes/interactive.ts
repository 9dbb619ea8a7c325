import { buttons, interactive, list, type Message, rows } from "../payloads.ts";
import type { Shapes } from "./shape.ts";

const LINK = "https://easymo.example/a.jpg";

const REPLY = { type: "reply", reply: { id: "a", title: "A" } };

const FLOW = { flow_message_version: "3", flow_id: "1", flow_cta: "Andika" };

function flow(parameters: Record<string, unknown>): Message {
  return interactive("flow", { name: "flow", parameters });
}

function card(index: number, fields: Record<string, unknown> = {}): Record<string, unknown> {
  const action = { name: "cta_url", parameters: { display_text: "Reba", url: LINK } };
  return { card_index: index, type: "cta_url", header: { type: "image", image: { link: LINK } }, action, ...fields };
}

/** Actions of interactive messages that have no footer. */
const WITHOUT_FOOTER: Record<string, unknown> = {
  location_request_message: { name: "send_location" },
  contact_request: { name: "request_contact_info" },
  request_contact_info: { name: "request_contact_info" },
  call_permission_request: { name: "call_permission_request" },
  voice_call: { name: "voice_call" },
  carousel: { cards: [card(0), card(1)] },
};

/** Faults of interactive messages. */
export const INTERACTIVE_SHAPES: Shapes = {
  "an interactive message of no type": [["interactive", { interactive: {} }], "/interactive/type: is required"],
  "an interactive message of another type": [
    interactive("order_details", {}),
    "/interactive/type: must be button or list or cta_url or flow or location_request_message or address_message or " +
    "contact_request or request_contact_info or call_permission_request or voice_call or product or product_list or " +
    "catalog_message or carousel",
  ],
  "a body that is a string": [buttons(1, {}, { body: "Yego?" }), "/interactive/body: must be an object"],
  "no body": [
    ["interactive", { interactive: { type: "button", action: { buttons: [REPLY] } } }],
    "/interactive/body: is required",
  ],
  "no action": [
    ["interactive", { interactive: { type: "button", body: { text: "Yego?" } } }],
    "/interactive/action: is required",
  ],
  "a header of a kind that buttons do not have": [
    buttons(1, {}, { header: { type: "audio", audio: { id: "1" } } }),
    "/interactive/header/type: must be text or image or video or document",
  ],
  "a header with a caption": [
    buttons(1, {}, { header: { type: "image", image: { id: "1", caption: "!" } } }),
    "/interactive/header/image/caption: is not known here",
  ],
  "a list under an image": [
    list([{ rows: rows(1) }], { header: { type: "image", image: { id: "1" } } }),
    "/interactive/header/type: must be text",
  ],
  "two buttons of one id": [
    buttons(2, { id: "same" }),
    "/interactive/action/buttons/1/reply/id: is used more than once",
  ],
  "two buttons of one title": [
    buttons(2, { title: "Yego" }),
    "/interactive/action/buttons/1/reply/title: is used more than once",
  ],
  "an id with a space at its end": [
    buttons(1, { id: "yes " }),
    "/interactive/action/buttons/0/reply/id: must not begin or end with a space",
  ],
  "a button of another type": [
    interactive("button", { buttons: [{ type: "url", reply: REPLY.reply }] }),
    "/interactive/action/buttons/0/type: must be reply",
  ],
  "two rows of one id, in two sections": [
    list([{ title: "One", rows: rows(1) }, { title: "Two", rows: rows(1) }]),
    "/interactive/action/sections/1/rows/0/id: is used more than once",
  ],
  "two sections, one without a title": [
    list([{ title: "One", rows: rows(1, "a") }, { rows: rows(1, "b") }]),
    "/interactive/action/sections/1/title: is required",
  ],
  "a section without rows": [list([{ rows: [] }]), "/interactive/action/sections/0/rows: from 1 to 10 entries"],
  "a link over http": [
    interactive("cta_url", { name: "cta_url", parameters: { display_text: "Reba", url: "http://easymo.example" } }),
    "/interactive/action/parameters/url: must be an https URL",
  ],
  ...Object.fromEntries(
    Object.entries(WITHOUT_FOOTER).map(([type, action]) => [`a ${type} with a footer`, [
      interactive(type, action, { footer: { text: "EasyMO" } }),
      "/interactive/footer: is not known here",
    ] as [Message, string]]),
  ),
  "a request for a place, by another name": [
    interactive("location_request_message", { name: "location" }),
    "/interactive/action/name: must be send_location",
  ],
  "a Flow in another mode": [
    flow({ ...FLOW, mode: "live" }),
    "/interactive/action/parameters/mode: must be draft or published",
  ],
  "a Flow of an older version": [
    flow({ ...FLOW, flow_message_version: "2" }),
    "/interactive/action/parameters/flow_message_version: must be 3",
  ],
  "a Flow by id and name": [
    flow({ ...FLOW, flow_name: "rider" }),
    "/interactive/action/parameters: exactly one of flow_id and flow_name",
  ],
  "a Flow whose button smiles": [
    flow({ ...FLOW, flow_cta: "Andika 🚕" }),
    "/interactive/action/parameters/flow_cta: must be without emoji",
  ],
  "a Flow that asks for its first screen, and names it": [
    flow({ ...FLOW, flow_action: "data_exchange", flow_action_payload: { screen: "A" } }),
    "/interactive/action/parameters/flow_action_payload: only with flow_action navigate",
  ],
  "a Flow with empty data": [
    flow({ ...FLOW, flow_action: "navigate", flow_action_payload: { screen: "A", data: {} } }),
    "/interactive/action/parameters/flow_action_payload/data: must be an object that is not empty",
  ],
  "products without a header": [
    interactive("product_list", { catalog_id: "1", sections: [{ product_items: [{ product_retailer_id: "p" }] }] }),
    "/interactive/header: is required",
  ],
  "a product under a header": [
    interactive("product", { catalog_id: "1", product_retailer_id: "p" }, { header: { type: "text", text: "!" } }),
    "/interactive/header: is not known here",
  ],
  "cards with different buttons": [
    interactive("carousel", {
      cards: [
        card(0),
        card(1, { action: { buttons: [{ type: "quick_reply", quick_reply: { id: "a", title: "A" } }] } }),
      ],
    }),
    "/interactive/action/cards/1/action: must be as on the first card: one link",
  ],
  "cards of two catalogs": [
    interactive("carousel", {
      cards: ["1", "2"].map((catalog_id, card_index) => ({
        card_index,
        type: "product",
        action: { catalog_id, product_retailer_id: "p" },
      })),
    }),
    "/interactive/action/cards/1/action: must be as on the first card: products of the catalog 1",
  ],
  "two cards of one index": [
    interactive("carousel", { cards: [card(0), card(0)] }),
    "/interactive/action/cards/1/card_index: is used more than once",
  ],
  "a card under nothing": [
    interactive("carousel", { cards: [card(0), card(1, { header: undefined })] }),
    "/interactive/action/cards/1/header: is required",
  ],
  "a card under a document": [
    interactive("carousel", { cards: [card(0), card(1, { header: { type: "document", document: { id: "1" } } })] }),
    "/interactive/action/cards/1/header/type: must be image or video",
  ],
  "a call that waits for part of a minute": [
    interactive("voice_call", { name: "voice_call", parameters: { ttl_minutes: 1.5 } }),
    "/interactive/action/parameters/ttl_minutes: must be a whole number from 1 to 43200",
  ],
  "a country of three letters": [
    interactive("address_message", { name: "address_message", parameters: { country: "RWA" } }),
    "/interactive/action/parameters/country: must be a country code of two capital letters",
  ],
};
