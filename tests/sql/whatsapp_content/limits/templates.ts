import type { Limit } from "./limit.ts";
import { filler, letters, several, template, templateButton } from "../payloads.ts";

function section(title: string, product_items: unknown[]): Record<string, unknown> {
  return { thumbnail_product_retailer_id: "p", sections: [{ title, product_items }] };
}

const PARAMETERS = "/template/components/0/parameters";

/** How many parameters a button takes, by what kind it is. */
const BUTTON_PARAMETERS: Limit[] = ([
  ["url", 1, 1, filler("x")],
  ["quick_reply", 1, 1, { type: "payload", payload: "p" }],
  ["copy_code", 1, 1, { type: "coupon_code", coupon_code: "MOTO25" }],
  ["flow", 0, 1, { type: "action", action: {} }],
  ["catalog", 0, 1, { type: "action", action: { thumbnail_product_retailer_id: "p" } }],
  ["mpm", 1, 1, { type: "action", action: section("T", [{ product_retailer_id: "p" }]) }],
  ["voice_call", 0, 2, { type: "payload", payload: "p" }],
] as const).map(([kind, lowest, highest, parameter]): Limit => ({
  what: `template: parameters of a ${kind} button`,
  unit: "entries",
  lowest,
  highest,
  pointer: PARAMETERS,
  of: (n) => template(templateButton(kind, ...several(n, () => parameter))),
}));

/** Limits of what is filled in for templates. */
export const TEMPLATE_LIMITS: Limit[] = [
  {
    what: "template: name",
    unit: "characters",
    highest: 512,
    pointer: "/template/name",
    of: (n) => ["template", { template: { name: letters(n), language: { code: "en" } } }],
  },
  {
    what: "template: text in a header",
    unit: "characters",
    highest: 60,
    pointer: `${PARAMETERS}/0/text`,
    of: (n) => template({ type: "header", parameters: [filler(letters(n))] }),
  },
  {
    what: "template: text in a body, with other components",
    unit: "characters",
    highest: 1024,
    pointer: `${PARAMETERS}/0/text`,
    of: (n) =>
      template({ type: "body", parameters: [filler(letters(n))] }, { type: "header", parameters: [filler("x")] }),
  },
  {
    what: "template: text in a body, alone",
    unit: "characters",
    highest: 32768,
    pointer: `${PARAMETERS}/0/text`,
    of: (n) => template({ type: "body", parameters: [filler(letters(n))] }),
  },
  {
    what: "template: parameters of a body (ours)",
    unit: "entries",
    lowest: 0,
    highest: 100,
    pointer: PARAMETERS,
    of: (n) => template({ type: "body", parameters: several(n, () => filler("x")) }),
  },
  {
    what: "template: spaces in a row in text",
    unit: "in all",
    lowest: 0,
    highest: 4,
    pointer: `${PARAMETERS}/0/text`,
    of: (n) => template({ type: "body", parameters: [filler(`a${" ".repeat(n)}b`)] }),
  },
  {
    what: "template: text of a url button",
    unit: "characters",
    highest: 2000,
    pointer: `${PARAMETERS}/0/text`,
    of: (n) => template(templateButton("url", filler(letters(n)))),
  },
  {
    what: "template: payload of a button",
    unit: "characters",
    highest: 512,
    pointer: `${PARAMETERS}/0/payload`,
    of: (n) => template(templateButton("quick_reply", { type: "payload", payload: letters(n) })),
  },
  {
    what: "template: coupon_code",
    unit: "characters",
    highest: 20,
    pointer: `${PARAMETERS}/0/coupon_code`,
    of: (n) => template(templateButton("copy_code", { type: "coupon_code", coupon_code: letters(n) })),
  },
  {
    what: "template: ttl_minutes of a call button",
    unit: "minutes",
    highest: 43200,
    pointer: `${PARAMETERS}/0/ttl_minutes`,
    of: (n) => template(templateButton("voice_call", { type: "ttl_minutes", ttl_minutes: n })),
  },
  {
    what: "template: index of a button",
    unit: "number",
    lowest: 0,
    highest: 9,
    pointer: "/template/components/0/index",
    of: (n) => template({ ...templateButton("quick_reply", { type: "payload", payload: "p" }), index: n }),
  },
  {
    what: "template: sections of an mpm button",
    unit: "entries",
    highest: 10,
    pointer: `${PARAMETERS}/0/action/sections`,
    of: (n) => {
      const sections = several(n, () => ({ title: "T", product_items: [{ product_retailer_id: "p" }] }));
      const action = { thumbnail_product_retailer_id: "p", sections };
      return template(templateButton("mpm", { type: "action", action }));
    },
  },
  {
    what: "template: products of an mpm section",
    unit: "entries",
    highest: 30,
    pointer: `${PARAMETERS}/0/action/sections/0/product_items`,
    of: (n) => {
      const items = several(n, (index) => ({ product_retailer_id: `p${index}` }));
      return template(templateButton("mpm", { type: "action", action: section("T", items) }));
    },
  },
  {
    what: "template: title of an mpm section",
    unit: "characters",
    highest: 24,
    pointer: `${PARAMETERS}/0/action/sections/0/title`,
    of: (n) => {
      const action = section(letters(n), [{ product_retailer_id: "p" }]);
      return template(templateButton("mpm", { type: "action", action }));
    },
  },
  {
    what: "template: card_index",
    unit: "number",
    lowest: 0,
    highest: 9,
    pointer: "/template/components/0/cards/*/card_index",
    of: (n) => template({ type: "carousel", cards: [{ card_index: n, components: [] }] }),
  },
  {
    what: "template: parameters of a header",
    unit: "entries",
    highest: 1,
    pointer: PARAMETERS,
    of: (n) => template({ type: "header", parameters: several(n, () => filler("x")) }),
  },
  ...BUTTON_PARAMETERS,
  {
    what: "template: cards",
    unit: "entries",
    highest: 10,
    pointer: "/template/components/0/cards",
    of: (n) => template({ type: "carousel", cards: several(n, (card_index) => ({ card_index, components: [] })) }),
  },
];
