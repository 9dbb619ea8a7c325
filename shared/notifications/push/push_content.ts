import type { Delivery } from "../provider.ts";

/** What a device is told. */
export interface PushContent {
  title?: string;
  body: string;
  /** For the app, with the notification's id. */
  data: Record<string, unknown>;
}

/**
 * Together below the 2,820 bytes that every browser takes once encrypted (Firefox for Android the fewest), and below the
 * 4,096 of Apple and Google with what Expo adds. In bytes of JSON.
 */
const MAX_TITLE = 300;
const MAX_BODY = 1_400;
const MAX_DATA = 1_000;

const ENCODER = new TextEncoder();

/** A delivery in the room that push services give: long words are cut, long data stays in the inbox. */
export function pushContent({ title, body, data, notification_id }: Delivery<unknown>): PushContent {
  return {
    ...(title && { title: cut(title, MAX_TITLE) }),
    body: cut(body, MAX_BODY),
    data: { ...(jsonBytes(data) <= MAX_DATA && data), notification_id },
  };
}

function cut(text: string, maxBytes: number): string {
  if (jsonBytes(text) <= maxBytes) return text;
  let room = maxBytes - jsonBytes("…");
  let kept = "";
  for (const character of text) {
    room -= jsonBytes(character) - 2;
    if (room < 0) break;
    kept += character;
  }
  return kept.trimEnd() + "…";
}

function jsonBytes(value: unknown): number {
  return ENCODER.encode(JSON.stringify(value)).length;
}
