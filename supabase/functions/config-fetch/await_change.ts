import type { Context } from "hono";
import { readDocument, type Reading } from "./read_document.ts";
import type { Asked } from "./schema.ts";
import { requireScope } from "./scope.ts";

/** Requests of one isolate that may wait at the same time; others are answered at once. */
export const MOST_WAITING = 32;
const LOOK_EVERY_MS = 1000;
let waiting = 0;
/** The latest look at each document, for all who wait for it. */
const looks = new Map<string, Look>();

interface Look {
  startedAt: number;
  reading: Promise<Reading>;
}

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
    if (waiting === 0) looks.clear();
  }
  return await readDocument(c, service, asked);
}

async function lookUntilChanged(c: Context, service: string, asked: Asked): Promise<Reading> {
  const { signal } = c.req.raw;
  const until = Date.now() + asked.wait_seconds * 1000;
  // The first look is one's own: others' may be from before the version that is known.
  let look = lookNow(c, service, asked);
  for (;;) {
    const reading = await look.reading;
    const isNews = reading.version !== asked.known_version && !reading.is_stale;
    const nextAt = look.startedAt + LOOK_EVERY_MS;
    if (isNews || nextAt > until) return reading;
    await pause(nextAt - Date.now(), signal);
    if (signal.aborted) return reading;
    look = lookTogether(c, service, asked);
  }
}

function lookNow(c: Context, service: string, asked: Asked): Look {
  const look = { startedAt: Date.now(), reading: readDocument(c, service, asked) };
  looks.set(placeOf(c, service, asked), look);
  return look;
}

/** The look that another waiter has begun since, or one's own; what fails with another's rights is tried with one's own. */
function lookTogether(c: Context, service: string, asked: Asked): Look {
  const latest = looks.get(placeOf(c, service, asked));
  if (!latest || latest.startedAt + LOOK_EVERY_MS <= Date.now()) return lookNow(c, service, asked);
  const { startedAt, reading } = latest;
  return { startedAt, reading: reading.catch(() => readDocument(c, service, asked)) };
}

function placeOf(c: Context, service: string, { environment }: Asked): string {
  const isService = c.get("caller").mode === "secret";
  return JSON.stringify([isService, service, environment]);
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
