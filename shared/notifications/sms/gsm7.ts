/** The default alphabet, one septet each, and its extension, two (3GPP TS 23.038, section 6.2.1). */
const BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
const EXTENSION = new Set("\f^{}\\[~]|€");

/** Typography that costs a message more than half of its room, and what says the same. */
const PLAIN: Record<string, string> = {
  "\u2018": "'",
  "\u2019": "'",
  "\u201a": "'",
  "\u201c": '"',
  "\u201d": '"',
  "\u201e": '"',
  "\u00ab": '"',
  "\u00bb": '"',
  "\u2013": "-",
  "\u2014": "-",
  "\u2026": "...",
  "\u00a0": " ",
  "\u202f": " ",
  "\u200b": "",
};
const TYPOGRAPHY = new RegExp(`[${Object.keys(PLAIN).join("")}]`, "g");

/** How many septets a character takes; 0 if the alphabet has none for it. */
export function septetsOf(character: string): 0 | 1 | 2 {
  if (BASIC.has(character)) return 1;
  return EXTENSION.has(character) ? 2 : 0;
}

/** The text with plain quotes, dashes and spaces. */
export function withPlainTypography(text: string): string {
  return text.replace(TYPOGRAPHY, (character) => PLAIN[character]!);
}
