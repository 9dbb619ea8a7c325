import { TEMPLATES } from "./templates.ts";

const MAX_LENGTH = 300;
/** The fixed words of the templates: nobody's name, nobody's message. */
const WORDS = new Set(
  TEMPLATES.flatMap(({ pattern }) => pattern.source.replace(/\(\?<\w+>/g, "").match(/[A-Za-z]+/g) ?? []),
);

/** A text with its contents struck out: every digit is 0 and every word that is not of MTN's own is x. */
export function shapeOf(text: string): string {
  return text.replace(/[\p{L}\p{M}]+/gu, (word) => WORDS.has(word) ? word : "x").replace(/\p{N}/gu, "0").slice(
    0,
    MAX_LENGTH,
  );
}
