import type { Context } from "hono";
import { readDocument, type Reading } from "./read_document.ts";
import type { Asked } from "./schema.ts";
import { requireScope } from "./scope.ts";

/** Requests of one isolate that may wait at the same time; others are answered at once. */
export const MOST_WAITING = 32;
const LOOK_EVERY_MS = 1000;
let waiting = 0;

/** Reads the document; while it has the version that the caller knows, again, for as long as the caller waits. */
export async function awaitChange(c: Context, service: string, asked: Asked): Promise<Reading> {
  const isWaiting = asked.known_version !== undefined && asked.wait_seconds > 0 && waiting < MOST_WAITING;
  if (!isWaiting) return await readDocument(c, service, asked);
  // Secrets are read when the wait is over: each reading of them is an audited event.
  await requireScope(c, service, asked);
  waiting++;
  try {
    const reading = await lookUntilChanged(c, service, { ...asked, include_secrets: "false" });
    if (asked.include_secrets === "false" || c.req.raw.signal.aborted) return reading;
  } finally {
    waiting--;
  }
  return await readDocument(c, service, asked);
}

async function lookUntilChanged(c: Context, service: string, asked: Asked): Promise<Reading> {
  const { signal } = c.req.raw;
  const until = Date.now() + asked.wait_seconds * 1000;
  for (;;) {
    const reading = await readDocument(c, service, asked);
    const isNews = reading.version !== asked.known_version && !reading.is_stale;
    if (isNews || Date.now() + LOOK_EVERY_MS > until) return reading;
    await pause(LOOK_EVERY_MS, signal);
    if (signal.aborted) return reading;
  }
}

/** Waits that long, or until the caller has gone. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
    function end(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    }
  });
}
