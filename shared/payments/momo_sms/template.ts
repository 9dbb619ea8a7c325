import type { MomoReceipt, MomoTemplate } from "./receipt.ts";

/** The fixed words of one kind of message, and where its facts stand between them. */
export interface Template {
  name: MomoTemplate;
  direction: MomoReceipt["direction"];
  pattern: RegExp;
}

/** What may stand in a message at `{...}`. `any` and `more` are not kept: tokens, adverts. */
const FIELDS: Record<string, string> = {
  amount: "(?<amount>[\\d,.]*\\d)",
  fee: "(?<fee>[\\d,.]*\\d)",
  balance: "(?<balance>[\\d,.]*\\d)",
  name: "(?<name>.{1,100}?)",
  payer: "(?<payer>\\*+\\d{3}|\\+?250\\d{9})",
  phone: "(?<phone>\\+?250\\d{9})",
  id: "(?<id>\\d{6,20})",
  time: "(?<time>\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d)",
  // Greedy: what follows is the last of its kind, so that a payer cannot write a balance and an id of their own.
  message: "(?<message>.*)",
  number: "\\d+",
  any: ".{0,200}?",
  more: ".*",
};

/** A template from a message as MTN writes it, with `{fields}`; spaces about punctuation vary from one to the next. */
export function template(name: MomoTemplate, direction: Template["direction"], text: string): Template {
  const source = text.split(/\{(\w+)\}/).map((part, index) => index % 2 ? FIELDS[part] : literal(part)).join("");
  return { name, direction, pattern: new RegExp(`^${source}$`, "u") };
}

function literal(words: string): string {
  return words
    .replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
    .replace(/ /g, " ?")
    .replace(/(?: \?)?(:|,|\\\.)(?: \?)?/g, " ?$1 ?");
}
