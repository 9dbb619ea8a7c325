import { septetsOf, withPlainTypography } from "./gsm7.ts";

/** A message of more costs more than most that it says is worth, and the inbox has the whole text. */
const MAX_SEGMENTS = 4;
const ENDING = "...";

/** Room in one message, and in each part of a longer one, where a header of six bytes says which part it is. */
const ROOM = { gsm7: { single: 160, part: 153 }, ucs2: { single: 70, part: 67 } };

/** How a text goes out: in septets, or in pairs of bytes if one of its characters has no septet. */
export interface SmsSize {
  encoding: "gsm7" | "ucs2";
  segments: number;
}

/**
 * Title and body as one text message: plain typography, and cut between words where it would become longer than four
 * segments (4 x 153 characters, 4 x 67 where one has no place in the alphabet of GSM).
 */
export function smsText({ title, body }: { title: string | null; body: string }): string {
  const text = withPlainTypography([title, body].filter(Boolean).join("\n")).replaceAll(/\r\n?/g, "\n").trim();
  return sizeOf(text).segments <= MAX_SEGMENTS ? text : cut(text);
}

/** What a text costs (3GPP TS 23.040, section 9.2.3.24.1). */
export function sizeOf(text: string): SmsSize {
  const characters = [...text];
  const encoding = characters.every(septetsOf) ? "gsm7" : "ucs2";
  const { single, part } = ROOM[encoding];
  const widths = characters.map((character) => encoding === "gsm7" ? septetsOf(character) : character.length);
  const units = widths.reduce<number>((sum, width) => sum + width, 0);
  if (units <= single) return { encoding, segments: 1 };
  // A character of two units stands in one part or in the next, never in both.
  let segments = 1;
  let used = 0;
  for (const width of widths) {
    if (used + width > part) {
      segments++;
      used = 0;
    }
    used += width;
  }
  return { encoding, segments };
}

/** As many whole characters as fit before the ending, and then whole words if one ends near. */
function cut(text: string): string {
  const characters = [...text];
  let [fits, tooLong] = [0, characters.length];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    const isFitting = sizeOf(characters.slice(0, middle).join("") + ENDING).segments <= MAX_SEGMENTS;
    if (isFitting) fits = middle;
    else tooLong = middle;
  }
  const kept = characters.slice(0, fits).join("");
  return (/^([^]+)\s\S{0,30}$/.exec(kept)?.[1] ?? kept).trimEnd() + ENDING;
}
