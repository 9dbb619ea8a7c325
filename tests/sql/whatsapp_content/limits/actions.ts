import type { Limit } from "./limit.ts";
import { interactive, letters, type Message, several } from "../payloads.ts";

const CTA = { name: "cta_url", parameters: { display_text: "Fungura", url: "https://easymo.example/t/1" } };
const FLOW = { flow_message_version: "3", flow_id: "1", flow_cta: "Andika" };

function flow(fields: Record<string, unknown>): Message {
  return interactive("flow", { name: "flow", parameters: { ...FLOW, ...fields } });
}

function call(fields: Record<string, unknown>): Message {
  return interactive("voice_call", { name: "voice_call", parameters: fields });
}

function products(counts: number[], title: string): Message {
  const sections = counts.map((count, section) => ({
    title,
    product_items: several(count, (index) => ({ product_retailer_id: `p${section}.${index}` })),
  }));
  return interactive("product_list", { catalog_id: "1", sections }, { header: { type: "text", text: "Isoko" } });
}

function cards(count: number, fields: Record<string, unknown> = {}): Message {
  const list = several(count, (card_index) => ({
    card_index,
    type: "cta_url",
    header: { type: "image", image: { link: "https://easymo.example/a.jpg" } },
    action: CTA,
    ...fields,
  }));
  return interactive("carousel", { cards: list });
}

const quickReply = (id: string, title: string) => ({ type: "quick_reply", quick_reply: { id, title } });

/** Limits of every other action of interactive messages. */
export const ACTION_LIMITS: Limit[] = [
  {
    what: "cta_url: display_text",
    unit: "characters",
    highest: 20,
    pointer: "/interactive/action/parameters/display_text",
    of: (n) => interactive("cta_url", { name: "cta_url", parameters: { ...CTA.parameters, display_text: letters(n) } }),
  },
  {
    what: "cta_url: url",
    unit: "characters",
    lowest: 9,
    highest: 2000,
    pointer: "/interactive/action/parameters/url",
    of: (n) =>
      interactive("cta_url", { name: "cta_url", parameters: { ...CTA.parameters, url: `https://${letters(n - 8)}` } }),
  },
  {
    what: "flow: flow_cta",
    unit: "characters",
    highest: 20,
    pointer: "/interactive/action/parameters/flow_cta",
    of: (n) => flow({ flow_cta: letters(n) }),
  },
  {
    what: "voice_call: display_text",
    unit: "characters",
    highest: 20,
    pointer: "/interactive/action/parameters/display_text",
    of: (n) => call({ display_text: letters(n) }),
  },
  {
    what: "voice_call: ttl_minutes",
    unit: "minutes",
    highest: 43200,
    pointer: "/interactive/action/parameters/ttl_minutes",
    of: (n) => call({ ttl_minutes: n }),
  },
  {
    what: "voice_call: payload",
    unit: "characters",
    highest: 512,
    pointer: "/interactive/action/parameters/payload",
    of: (n) => call({ payload: letters(n) }),
  },
  {
    what: "address_message: saved_addresses (ours)",
    unit: "entries",
    lowest: 0,
    highest: 100,
    pointer: "/interactive/action/parameters/saved_addresses",
    of: (n) => {
      const parameters = { country: "IN", saved_addresses: several(n, (index) => ({ id: `${index}`, value: {} })) };
      return interactive("address_message", { name: "address_message", parameters });
    },
  },
  {
    what: "product_list: sections",
    unit: "entries",
    highest: 10,
    pointer: "/interactive/action/sections",
    of: (n) => products(Array(n).fill(1), "Title"),
  },
  {
    what: "product_list: products",
    unit: "in all",
    highest: 30,
    pointer: "/interactive/action/sections",
    of: (n) => products(n > 1 ? [1, n - 1] : [n], "Title"),
  },
  {
    what: "product_list: title of a section",
    unit: "characters",
    highest: 24,
    pointer: "/interactive/action/sections/0/title",
    of: (n) => products([1], letters(n)),
  },
  {
    what: "carousel: cards",
    unit: "entries",
    lowest: 2,
    highest: 10,
    pointer: "/interactive/action/cards",
    of: (n) => cards(n),
  },
  {
    what: "carousel: card_index",
    unit: "number",
    lowest: 0,
    highest: 9,
    pointer: "/interactive/action/cards/*/card_index",
    of: (n) => {
      const [type, payload] = cards(2);
      const { interactive } = payload as { interactive: { action: { cards: { card_index: number }[] } } };
      interactive.action.cards[0]!.card_index = n === 5 ? 6 : 5;
      interactive.action.cards[1]!.card_index = n;
      return [type, payload];
    },
  },
  {
    what: "carousel: body of a card",
    unit: "characters",
    highest: 160,
    pointer: "/interactive/action/cards/*/body/text",
    of: (n) => cards(2, { body: { text: letters(n) } }),
  },
  {
    what: "carousel: line breaks in a card's body",
    unit: "in all",
    lowest: 0,
    highest: 2,
    pointer: "/interactive/action/cards/*/body/text",
    of: (n) => cards(2, { body: { text: several(n + 1, () => "line").join("\n") } }),
  },
  {
    what: "carousel: quick replies of a card (ours)",
    unit: "entries",
    highest: 10,
    pointer: "/interactive/action/cards/*/action/buttons",
    of: (n) => cards(2, { action: { buttons: several(n, (index) => quickReply(`q${index}`, `Q${index}`)) } }),
  },
  {
    what: "carousel: id of a quick reply",
    unit: "characters",
    highest: 256,
    pointer: "/interactive/action/cards/*/action/buttons/0/quick_reply/id",
    of: (n) => cards(2, { action: { buttons: [quickReply(letters(n), "Q")] } }),
  },
  {
    what: "carousel: title of a quick reply",
    unit: "characters",
    highest: 20,
    pointer: "/interactive/action/cards/*/action/buttons/0/quick_reply/title",
    of: (n) => cards(2, { action: { buttons: [quickReply("q", letters(n))] } }),
  },
];
