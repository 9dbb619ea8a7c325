import { filler, template, templateButton } from "../payloads.ts";
import type { Shapes } from "./shape.ts";

/** Faults of what is filled in for templates. */
export const TEMPLATE_SHAPES: Shapes = {
  "a template with capitals": [
    ["template", { template: { name: "Trip-Receipt", language: { code: "en" } } }],
    "/template/name: must be of lower-case letters, digits and underscores",
  ],
  "a template without a language": [
    ["template", { template: { name: "trip_receipt" } }],
    "/template/language: is required",
  ],
  "a language as browsers write it": [
    ["template", { template: { name: "trip_receipt", language: { code: "en-US" } } }],
    "/template/language/code: must be a language code like rw_RW or en",
  ],
  "another policy": [
    ["template", { template: { name: "trip_receipt", language: { code: "en", policy: "fallback" } } }],
    "/template/language/policy: must be deterministic",
  ],
  "a component that there is not": [
    template({ type: "footer", parameters: [filler("x")] }),
    "/template/components/0/type: must be header or body or button or carousel or limited_time_offer or tap_target_configuration",
  ],
  "two bodies": [
    template({ type: "body", parameters: [filler("x")] }, { type: "BODY", parameters: [filler("x")] }),
    "/template/components/1: stands twice",
  ],
  "a button filled in twice": [
    template(templateButton("url", filler("x")), templateButton("url", filler("y"))),
    "/template/components/1: stands twice",
  ],
  "a line break in a placeholder": [
    template({ type: "body", parameters: [filler("Kigali\nMusanze")] }),
    "/template/components/0/parameters/0/text: must be without line breaks, tabs and more than 4 spaces in a row",
  ],
  "an empty placeholder": [
    template({ type: "body", parameters: [filler("")] }),
    "/template/components/0/parameters/0/text: must not be empty",
  ],
  "an image in a body": [
    template({ type: "body", parameters: [{ type: "image", image: { id: "1" } }] }),
    "/template/components/0/parameters/0/type: must be text or currency or date_time",
  ],
  "names for some placeholders": [
    template({ type: "body", parameters: [{ ...filler("x"), parameter_name: "fare" }, filler("y"), filler("z")] }),
    "/template/components/0/parameters: must all have a parameter_name, or none",
  ],
  "a name for one of two placeholders": [
    template({ type: "body", parameters: [filler("x"), { ...filler("y"), parameter_name: "fare" }] }),
    "/template/components/0/parameters: must all have a parameter_name, or none",
  ],
  "a header that is not filled in": [template({ type: "header" }), "/template/components/0/parameters: is required"],
  "one name for two placeholders": [
    template({ type: "body", parameters: ["x", "y"].map((text) => ({ ...filler(text), parameter_name: "fare" })) }),
    "/template/components/0/parameters/1/parameter_name: is used more than once",
  ],
  "a placeholder's name with capitals": [
    template({ type: "body", parameters: [{ ...filler("x"), parameter_name: "Fare" }] }),
    "/template/components/0/parameters/0/parameter_name: must be of lower-case letters, digits and underscores",
  ],
  "an amount in francs and centimes": [
    template({
      type: "body",
      parameters: [{ type: "currency", currency: { fallback_value: "RWF 700", code: "frw", amount_1000: 0.5 } }],
    }),
    "/template/components/0/parameters/0/currency/amount_1000: must be a whole number from -9007199254740991 to 9007199254740991",
    "/template/components/0/parameters/0/currency/code: must be an ISO 4217 code",
  ],
  "a button of no position": [
    template({ type: "button", sub_type: "url", parameters: [filler("x")] }),
    "/template/components/0/index: is required",
  ],
  "a button of no kind": [
    template({ type: "button", index: 0 }),
    "/template/components/0/sub_type: is required",
  ],
  "a button of another kind": [
    template(templateButton("phone_number", filler("x"))),
    "/template/components/0/sub_type: must be url or quick_reply or copy_code or flow or catalog or mpm or voice_call",
  ],
  "products without a title, behind a template": [
    template(templateButton("mpm", {
      type: "action",
      action: { thumbnail_product_retailer_id: "p", sections: [{ product_items: [{ product_retailer_id: "p" }] }] },
    })),
    "/template/components/0/parameters/0/action/sections/0/title: is required",
  ],
  "a catalog without a product to show": [
    template(templateButton("catalog", { type: "action", action: {} })),
    "/template/components/0/parameters/0/action/thumbnail_product_retailer_id: is required",
  ],
  "two places to tap at": [
    template({
      type: "tap_target_configuration",
      parameters: [{ type: "tap_target_configuration", tap_target_configuration: [{}, {}] }],
    }),
    "/template/components/0/parameters/0/tap_target_configuration: from 1 to 1 entries",
  ],
  "a place to tap at that is nowhere": [
    template({
      type: "tap_target_configuration",
      parameters: [{ type: "tap_target_configuration", tap_target_configuration: [{}] }],
    }),
    "/template/components/0/parameters/0/tap_target_configuration/0/title: is required",
    "/template/components/0/parameters/0/tap_target_configuration/0/url: is required",
  ],
  "two offers": [
    template({
      type: "limited_time_offer",
      parameters: [1, 2].map((expiration_time_ms) => ({
        type: "limited_time_offer",
        limited_time_offer: { expiration_time_ms },
      })),
    }),
    "/template/components/0/parameters: from 1 to 1 entries",
  ],
  "an offer that ended before time began": [
    template({
      type: "limited_time_offer",
      parameters: [{ type: "limited_time_offer", limited_time_offer: { expiration_time_ms: -1 } }],
    }),
    "/template/components/0/parameters/0/limited_time_offer/expiration_time_ms: must be a whole number from 0 to 9007199254740991",
  ],
  "two cards of one index, and one without components": [
    template({ type: "carousel", cards: [{ card_index: 0, components: [] }, { card_index: 0 }] }),
    "/template/components/0/cards/1/card_index: is used more than once",
    "/template/components/0/cards/1/components: is required",
  ],
  "a link filled with a payload": [
    template(templateButton("url", { type: "payload", payload: "x" })),
    "/template/components/0/parameters/0/type: must be text",
  ],
  "an offer that ends never": [
    template({ type: "limited_time_offer", parameters: [{ type: "limited_time_offer", limited_time_offer: {} }] }),
    "/template/components/0/parameters/0/limited_time_offer/expiration_time_ms: is required",
  ],
  "a carousel within a carousel": [
    template({ type: "carousel", cards: [{ card_index: 0, components: [{ type: "carousel", cards: [] }] }] }),
    "/template/components/0/cards/0/components/0/type: must be header or body or button",
  ],
};
