import type { Context } from "hono";
import { clientIdOf, type ParsedRequest } from "shared/analytics/parse_request.ts";
import type * as z from "zod";
import type { Outcome, Results } from "./schema.ts";

/** What `track_events()` says. */
export type Tracked = Omit<z.output<typeof Outcome>, "success" | "ok" | "status">;

/**
 * Answers what became of the calls. A batch that is partly bad is a success, because no client sends only the bad ones
 * again; 400 only where nothing in it could be used.
 */
export function answerOutcome(c: Context, { received, items }: ParsedRequest, tracked: Tracked): Response {
  const isUsable = items.length > 0 || received === 0;
  const { stored, duplicate, suppressed, rejected } = tracked;
  const outcome: z.output<typeof Outcome> = {
    ...{ success: isUsable, ok: isUsable, status: isUsable ? 1 : 0 },
    ...{ received, stored, duplicate, suppressed, rejected },
  };
  return c.json(outcome, isUsable ? 200 : 400);
}

/** Answers PostHog's v1 with what became of each call: a bad one is to be dropped, the rest is done. */
export function answerResults(c: Context, events: readonly unknown[], { rejected }: Tracked): Response {
  const reasons = new Map(rejected.map(({ index, reason }) => [index, reason]));
  const results: z.output<typeof Results>["results"] = {};
  events.forEach((event, index) => {
    const id = clientIdOf(event);
    const reason = reasons.get(index);
    if (id !== null) results[id] = reason === undefined ? { result: "ok" } : { result: "drop", details: reason };
  });
  return c.json({ results } satisfies z.output<typeof Results>);
}
