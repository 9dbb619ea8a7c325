import type { Context } from "hono";
import { matchesEtag, strongEtag } from "shared/http/etag.ts";
import type { Reading } from "./read_document.ts";

/** Answers under a strong tag, or 304. A secret's value is no part of the tag, which could be guessed at: its version is. */
export async function answerTagged(c: Context, reading: Reading, answer: unknown): Promise<Response> {
  const untold = (_key: string, part: unknown) =>
    isSecret(part) ? { ...part, value: part.value === null ? "masked" : "told" } : part;
  const etag = await strongEtag(JSON.stringify(answer, untold));
  const headers = {
    etag,
    "cache-control": "private, no-cache",
    "x-config-version": String(reading.version),
    ...(reading.is_stale ? { "x-config-stale": "true" } : {}),
  };
  if (matchesEtag(c.req.header("if-none-match"), etag)) return c.body(null, 304, headers);
  return c.body(JSON.stringify(answer), 200, { ...headers, "content-type": "application/json" });
}

function isSecret(part: unknown): part is { is_secret: true; value: unknown } {
  return typeof part === "object" && part !== null && (part as { is_secret?: unknown }).is_secret === true;
}
