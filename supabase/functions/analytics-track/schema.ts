import { ITEM_TYPES } from "shared/analytics/item.ts";
import * as z from "zod";

const Id = z.union([z.string(), z.number()]).nullish();
const Properties = z.record(z.string(), z.unknown()).nullish();

/** One call, in Segment's words. */
export const Call = z.object({
  type: z.enum(ITEM_TYPES).optional().describe("needed in a batch; otherwise the path says it"),
  messageId: Id.describe("the same over retries; without one, every request is another call"),
  userId: Id.describe("this or anonymousId is needed, unless a user's token comes along"),
  anonymousId: Id,
  previousId: Id.describe("of an alias"),
  groupId: Id.describe("of a group"),
  event: z.string().max(200).optional().describe("of a track"),
  name: z.string().optional().describe("of a page or screen"),
  properties: Properties,
  traits: Properties,
  context: Properties,
  timestamp: z.union([z.string(), z.number()]).nullish().describe("ISO 8601, or milliseconds since 1970"),
  sentAt: z.union([z.string(), z.number()]).nullish().describe("corrects the client's clock"),
  writeKey: z.string().optional().describe("where no header carries one"),
});

/** Calls, in Segment's words. */
export const Batch = z.object({
  batch: z.array(Call).max(2_500),
  context: Properties,
  sentAt: Call.shape.sentAt,
  writeKey: Call.shape.writeKey,
});

/** Whatever PostHog's and Jitsu's libraries send. */
export const AnyCall = z.union([z.record(z.string(), z.unknown()), z.array(z.unknown())]);

/** What became of the calls of a request. Each that was received is in one of the four. */
export const Outcome = z.object({
  success: z.boolean().describe("at least one call could be used"),
  ok: z.boolean().describe("the same, for Jitsu's libraries"),
  status: z.int().describe("1 or 0, for PostHog's"),
  received: z.int(),
  stored: z.int(),
  duplicate: z.int().describe("stored before, under the same id"),
  suppressed: z.int().describe("of people of whom nothing is kept"),
  rejected: z.array(z.object({
    index: z.int(),
    id: z.string().nullable(),
    reason: z.string().describe("docs/analytics.md lists them"),
  })).describe("kept with their reasons; sending them again does not help"),
});

/** The same by PostHog's v1: what became of each call. */
export const Results = z.object({
  results: z.record(z.string(), z.object({ result: z.enum(["ok", "drop"]), details: z.string().optional() })),
});
