import type { Context } from "hono";
import { readDocument, type Reading } from "./read_document.ts";
import type { Asked } from "./schema.ts";

/** Requests of one isolate that may wait at the same time; others are answered at once. */
const MOST_WAITING = 32;
const LOOK_EVERY_MS = 1000;
let waiting = 0;

/** Reads the document; while it has the version that the caller knows, again, for as long as the caller will wait. */
export async function awaitChange(c: Context, service: string, asked: Asked): Promise<Reading> {
  const until = Date.now() + asked.wait_seconds * 1000;
  // Secrets are read once the version has changed: each reading of them is an audited event.
  const looked: Asked = { ...asked, include_secrets: "false" };
  if (asked.known_version === undefined || asked.wait_seconds === 0 || waiting >= MOST_WAITING) {
    return await readDocument(c, service, asked);
  }
  waiting++;
  try {
    while (Date.now() + LOOK_EVERY_MS <= until && !c.req.raw.signal.aborted) {
      const { version, is_stale } = await readDocument(c, service, looked);
      if (version !== asked.known_version && !is_stale) break;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    return await readDocument(c, service, asked);
  } finally {
    waiting--;
  }
}
