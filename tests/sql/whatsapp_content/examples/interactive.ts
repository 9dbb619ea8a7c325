import type { Message } from "../payloads.ts";

const ID = "1037543291543637";
const LINK = "https://files.easymo.example/receipts/1042.pdf";
const PHOTO = "https://files.easymo.example/moto.jpg";

function interactive(content: Record<string, unknown>): Message {
  return ["interactive", { interactive: content }];
}

function photoCard(card_index: number, action: Record<string, unknown>): Record<string, unknown> {
  return { card_index, type: "cta_url", header: { type: "image", image: { link: PHOTO } }, action };
}

/** Interactive messages of every type. */
export const INTERACTIVE: Record<string, Message> = {
  "buttons under an image": interactive({
    type: "button",
    header: { type: "image", image: { id: ID } },
    body: { text: "Urugendo rwawe ni ku wa gatanu saa mbiri." },
    footer: { text: "EasyMO" },
    action: {
      buttons: [
        { type: "reply", reply: { id: "trip.change", title: "Hindura" } },
        { type: "reply", reply: { id: "trip.cancel", title: "Hagarika" } },
      ],
    },
  }),
  "buttons under a document": interactive({
    type: "button",
    header: { type: "document", document: { link: LINK, filename: "receipt.pdf" } },
    body: { text: "Wishyuye neza?" },
    action: { buttons: [{ type: "reply", reply: { id: "yes", title: "Yego" } }] },
  }),
  "a list": interactive({
    type: "list",
    header: { type: "text", text: "Hitamo" },
    body: { text: "Ni iki ushaka?" },
    footer: { text: "Kanda hasi" },
    action: {
      button: "Reba byose",
      sections: [
        { title: "Ingendo", rows: [{ id: "ride", title: "Moto", description: "Abashoferi bari hafi" }] },
        { title: "Amafaranga", rows: [{ id: "pay", title: "Ishyura" }, { id: "wallet", title: "Konti" }] },
      ],
    },
  }),
  "a list of one section": interactive({
    type: "list",
    body: { text: "Ni iki ushaka?" },
    action: { button: "Reba", sections: [{ rows: [{ id: "ride", title: "Moto" }] }] },
  }),
  "a link": interactive({
    type: "cta_url",
    header: { type: "video", video: { link: "https://files.easymo.example/intro.mp4" } },
    body: { text: "Kurikira urugendo rwawe." },
    footer: { text: "EasyMO" },
    action: { name: "cta_url", parameters: { display_text: "Kurikira", url: "https://easymo.example/t?id=1#map" } },
  }),
  "a Flow that opens at a screen": interactive({
    type: "flow",
    header: { type: "text", text: "Iyandikishe" },
    body: { text: "Tubwire ibyawe." },
    footer: { text: "Bifata umunota" },
    action: {
      name: "flow",
      parameters: {
        flow_message_version: "3",
        flow_token: "rider-1042",
        flow_id: "4512345678901234",
        flow_cta: "Tangira",
        mode: "draft",
        flow_action: "navigate",
        flow_action_payload: { screen: "WELCOME", data: { vehicle: "moto" } },
      },
    },
  }),
  "a Flow that asks its endpoint": interactive({
    type: "flow",
    body: { text: "Tubwire ibyawe." },
    action: {
      name: "flow",
      parameters: {
        flow_message_version: "3",
        flow_name: "driver_onboarding",
        flow_cta: "Tangira",
        flow_action: "data_exchange",
      },
    },
  }),
  "a request for a place": interactive({
    type: "location_request_message",
    body: { text: "Uri he?" },
    action: { name: "send_location" },
  }),
  "a request for a number": interactive({
    type: "request_contact_info",
    body: { text: "Duhe numero yawe." },
    action: { name: "request_contact_info" },
  }),
  "a request for a number, as the first notes had it": interactive({
    type: "contact_request",
    body: { text: "Duhe numero yawe." },
    action: { name: "request_contact_info" },
  }),
  "a request for an address": interactive({
    type: "address_message",
    body: { text: "Tukugezeho he?" },
    action: {
      name: "address_message",
      parameters: {
        country: "IN",
        values: { name: "Aline Uwase", phone_number: "+250788000003" },
        saved_addresses: [{ id: "home", value: { city: "Kigali" } }],
        validation_errors: { in_pin_code: "Not served" },
      },
    },
  }),
  "a request to call": interactive({
    type: "call_permission_request",
    body: { text: "Twaguhamagara?" },
    action: { name: "call_permission_request" },
  }),
  "a request to call, without a word": interactive({
    type: "call_permission_request",
    action: { name: "call_permission_request" },
  }),
  "a call button": interactive({
    type: "voice_call",
    body: { text: "Duhamagare." },
    action: { name: "voice_call", parameters: { display_text: "Hamagara", ttl_minutes: 100, payload: "trip-1042" } },
  }),
  "a call button as it comes": interactive({
    type: "voice_call",
    body: { text: "Duhamagare." },
    action: { name: "voice_call" },
  }),
  "a product": interactive({
    type: "product",
    body: { text: "Kasike" },
    footer: { text: "RWF 25,000" },
    action: { catalog_id: "146265584024623", product_retailer_id: "helmet-1" },
  }),
  "a product alone": interactive({
    type: "product",
    action: { catalog_id: "146265584024623", product_retailer_id: "helmet-1" },
  }),
  "products": interactive({
    type: "product_list",
    header: { type: "text", text: "Isoko" },
    body: { text: "Ibikoresho bya moto" },
    action: {
      catalog_id: "146265584024623",
      sections: [
        { title: "Kasike", product_items: [{ product_retailer_id: "helmet-1" }, { product_retailer_id: "helmet-2" }] },
        { title: "Amapine", product_items: [{ product_retailer_id: "tyre-1" }] },
      ],
    },
  }),
  "the catalog": interactive({
    type: "catalog_message",
    body: { text: "Reba ibyo dufite." },
    footer: { text: "EasyMO" },
    action: { name: "catalog_message", parameters: { thumbnail_product_retailer_id: "helmet-1" } },
  }),
  "the catalog as it comes": interactive({
    type: "catalog_message",
    body: { text: "Reba ibyo dufite." },
    action: { name: "catalog_message" },
  }),
  "the catalog with nothing to say of it": interactive({
    type: "catalog_message",
    body: { text: "Reba ibyo dufite." },
    action: { name: "catalog_message", parameters: {} },
  }),
  "a published Flow": interactive({
    type: "flow",
    body: { text: "Tubwire ibyawe." },
    action: {
      name: "flow",
      parameters: { flow_message_version: "3", flow_id: "4512345678901234", flow_cta: "Tangira", mode: "published" },
    },
  }),
  "cards with links": interactive({
    type: "carousel",
    body: { text: "Imodoka eshatu ziri hafi:" },
    action: {
      cards: [0, 1, 2].map((index) => ({
        ...photoCard(index, {
          name: "cta_url",
          parameters: { display_text: "Hitamo", url: `https://easymo.example/v/${index}` },
        }),
        body: { text: "*Moto*\n\nRWF 700" },
      })),
    },
  }),
  "cards with quick replies": interactive({
    type: "carousel",
    body: { text: "Imodoka ebyiri ziri hafi:" },
    action: {
      cards: [0, 1].map((index) =>
        photoCard(index, {
          buttons: ["Hitamo", "Ibindi"].map((title) => ({
            type: "quick_reply",
            quick_reply: { id: `${title}-${index}`, title },
          })),
        })
      ),
    },
  }),
  "cards of products": interactive({
    type: "carousel",
    body: { text: "Kasike nshya:" },
    action: {
      cards: [0, 1].map((card_index) => ({
        card_index,
        type: "product",
        action: { catalog_id: "146265584024623", product_retailer_id: `helmet-${card_index}` },
      })),
    },
  }),
};
