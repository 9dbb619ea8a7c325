import type { Message } from "../payloads.ts";

const ID = "1037543291543637";
const LINK = "https://files.easymo.example/receipts/1042.pdf";
const PHOTO = "https://files.easymo.example/moto.jpg";

function template(name: string, code: string, ...components: unknown[]): Message {
  return ["template", { template: { name, language: { code }, ...(components.length > 0 ? { components } : {}) } }];
}

function button(sub_type: string, index: string | number, ...parameters: unknown[]): Record<string, unknown> {
  return { type: "button", sub_type, index, parameters };
}

/** Template messages with every kind of component and parameter. */
export const TEMPLATES: Record<string, Message> = {
  "a template without placeholders": template("welcome", "en"),
  "a template in a language of three letters": template("welcome", "fil"),
  "a template with numbered placeholders": template("trip_receipt", "rw_RW", {
    type: "body",
    parameters: [
      { type: "text", text: "Aline" },
      { type: "currency", currency: { fallback_value: "RWF 700", code: "RWF", amount_1000: 700000 } },
      { type: "date_time", date_time: { fallback_value: "1 Ugushyingo 2026" } },
    ],
  }),
  "a template with named placeholders": [
    "template",
    {
      template: {
        name: "trip_receipt_2",
        language: { policy: "deterministic", code: "en_US" },
        components: [{
          type: "body",
          parameters: [
            { type: "text", parameter_name: "rider", text: "Aline" },
            { type: "text", parameter_name: "fare", text: "RWF 700" },
          ],
        }],
      },
    },
  ],
  "a template under a title": template("trip_soon", "fr", {
    type: "header",
    parameters: [{ type: "text", text: "Kigali" }],
  }),
  "a template under an image": template("promo", "sw", {
    type: "HEADER",
    parameters: [{ type: "image", image: { link: PHOTO } }],
  }),
  "a template under a video": template("promo", "sw", {
    type: "header",
    parameters: [{ type: "video", video: { id: ID } }],
  }),
  "a template under a document": template("receipt_pdf", "en", {
    type: "header",
    parameters: [{ type: "document", document: { link: LINK, filename: "receipt.pdf" } }],
  }),
  "a template under a map": template("driver_here", "en", {
    type: "header",
    parameters: [{
      type: "location",
      location: { latitude: "-1.9441", longitude: "30.0619", name: "Nyabugogo", address: "Kigali" },
    }],
  }),
  "a template under a product": template("helmet", "en", {
    type: "header",
    parameters: [{ type: "product", product: { product_retailer_id: "helmet-1", catalog_id: "146265584024623" } }],
  }),
  "a code to sign in": template(
    "sign_in",
    "en",
    { type: "body", parameters: [{ type: "text", text: "J$FpnYnP" }] },
    button("url", "0", { type: "text", text: "J$FpnYnP" }),
  ),
  "quick replies": template(
    "trip_question",
    "en",
    button("quick_reply", "0", { type: "payload", payload: "trip.1042.yes" }),
    button("quick_reply", 1, { type: "payload", payload: "trip.1042.no" }),
  ),
  "a code to copy": template(
    "coupon",
    "en",
    button("COPY_CODE", 0, { type: "coupon_code", coupon_code: "MOTO25" }),
  ),
  "an offer that ends": template("offer", "en", {
    type: "LIMITED_TIME_OFFER",
    parameters: [{ type: "limited_time_offer", limited_time_offer: { expiration_time_ms: 1793491200000 } }],
  }),
  "a Flow behind a template": template(
    "sign_up",
    "en",
    button("flow", "0", {
      type: "action",
      action: { flow_token: "rider-1042", flow_action_data: { vehicle: "moto" } },
    }),
  ),
  "a Flow behind a template as it comes": template("sign_up", "en", { type: "button", sub_type: "flow", index: "0" }),
  "a price above a template": template("fare", "en", {
    type: "header",
    parameters: [{ type: "currency", currency: { fallback_value: "RWF 700", code: "RWF", amount_1000: 700000 } }],
  }),
  "a day above a template": template("fare", "en", {
    type: "header",
    parameters: [{ type: "date_time", date_time: { fallback_value: "1 Ugushyingo" } }],
  }),
  "a language of a region in figures": template("welcome", "es_419"),
  "a Flow behind a template, at its endpoint": template(
    "sign_up",
    "en",
    button("flow", "0", { type: "action", action: {} }),
  ),
  "a catalog behind a template": template(
    "catalog",
    "en",
    button("CATALOG", 0, { type: "action", action: { thumbnail_product_retailer_id: "helmet-1" } }),
  ),
  "products behind a template": template(
    "shop",
    "en",
    button("mpm", 0, {
      type: "action",
      action: {
        thumbnail_product_retailer_id: "helmet-1",
        sections: [{ title: "Kasike", product_items: [{ product_retailer_id: "helmet-1" }] }],
      },
    }),
  ),
  "a call behind a template": template("call_us", "en", {
    type: "button",
    sub_type: "voice_call",
    parameters: [{ type: "ttl_minutes", ttl_minutes: 100 }, { type: "payload", payload: "trip-1042" }],
  }),
  "a template that opens a link where it is tapped": template("news", "en", {
    type: "tap_target_configuration",
    parameters: [{
      type: "tap_target_configuration",
      tap_target_configuration: [{ url: "https://easymo.example/news", title: "Amakuru" }],
    }],
  }),
  "a template with cards": template(
    "vehicles",
    "en",
    { type: "body", parameters: [{ type: "text", text: "Aline" }] },
    {
      type: "CAROUSEL",
      cards: [0, 1].map((card_index) => ({
        card_index,
        components: [
          { type: "header", parameters: [{ type: "image", image: { id: ID } }] },
          { type: "body", parameters: [{ type: "text", text: "RWF 700" }] },
          button("quick_reply", "0", { type: "payload", payload: `take-${card_index}` }),
          button("url", "1", { type: "text", text: `v/${card_index}` }),
        ],
      })),
    },
  ),
};
