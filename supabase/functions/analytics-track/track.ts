import type { Context } from "hono";
import { MAX_ITEM_BYTES, MAX_REQUEST_BYTES } from "shared/analytics/limits.ts";
import { type ParsedRequest, parseRequest, type WireRequest, writeKeyOf } from "shared/analytics/parse_request.ts";
import { trust } from "shared/db/caller.ts";
import type { Json } from "shared/db/database.types.ts";
import { rpc } from "shared/db/rpc.ts";
import { Problem } from "shared/problem.ts";
import { answerOutcome, answerResults, type Tracked } from "./answer.ts";
import { bodyText } from "./body_text.ts";
import { BytesInFlight } from "./bytes_in_flight.ts";
import { readCall } from "./read_call.ts";
import { type HeaderCredentials, headerCredentials, type Sender, verifySender } from "./sender.ts";

/** What tells one path from another. */
export type Wire = Pick<WireRequest, "format" | "type"> & {
  /** PostHog's v1 hears of every call by its id. */
  answersEach?: boolean;
};

/** Five of the largest batches at a time: what more there is comes again a second later. */
const inFlight = new BytesInFlight(5 * MAX_REQUEST_BYTES, MAX_ITEM_BYTES);

/** Handles a request in the format that its path belongs to. */
export function track(wire: Wire): (c: Context) => Promise<Response> {
  return async function track(c) {
    try {
      return await answer(c, wire);
    } catch (error) {
      throw retryable(error);
    }
  };
}

async function answer(c: Context, wire: Wire): Promise<Response> {
  const receivedAt = new Date();
  const given = await headerCredentials(c.req.raw.headers);
  // Whoever brings a wrong key in the headers is turned away before the body is read.
  const early = given.token !== null || given.key !== null ? await verifySender(given) : null;
  const text = await bodyText(c.req.raw, MAX_REQUEST_BYTES);
  return await inFlight.during(text.length, () => answerText(c, wire, { text, receivedAt, given, early }));
}

/** A request whose body is read and whose headers are verified. */
interface ReadRequest {
  text: string;
  receivedAt: Date;
  given: HeaderCredentials;
  early: Sender | null;
}

async function answerText(c: Context, wire: Wire, { text, receivedAt, given, early }: ReadRequest): Promise<Response> {
  const { headers } = c.req.raw;
  const call = readCall(text);
  const bodyKey = given.key === null ? writeKeyOf(call.body) ?? c.req.query("writeKey") ?? given.bearer : null;
  const sender = await fullSender(early, bodyKey);
  const parsed = parseRequest(call.body, call.events, {
    ...wire,
    type: wire.type ?? c.req.param("type"),
    hasUser: sender.userId !== null,
    sentAt: headers.get("posthog-request-timestamp"),
    userAgent: headers.get("user-agent"),
    receivedAt,
    size: call.size,
    createId: () => crypto.randomUUID(),
  });
  trust(c, "analytics-track");
  const tracked = await store(c, parsed, sender, receivedAt);
  return wire.answersEach ? answerResults(c, call.events, tracked) : answerOutcome(c, parsed, tracked);
}

/** A key of the body joins what the headers said. A user's token needs none beside it. */
async function fullSender(early: Sender | null, bodyKey: string | null): Promise<Sender> {
  if (early && bodyKey === null) return early;
  const { writeKeyId } = await verifySender({ token: null, key: bodyKey?.split(":")[0] || null });
  return { userId: early?.userId ?? null, writeKeyId };
}

async function store(
  c: Context,
  { source, items, rejected }: ParsedRequest,
  { writeKeyId, userId }: Sender,
  receivedAt: Date,
): Promise<Tracked> {
  const batch = {
    write_key_id: writeKeyId,
    sub: userId,
    received_at: receivedAt.toISOString(),
    source,
    items,
    rejected,
  };
  return await thrice(() => rpc(c, "track_events", { batch: batch as unknown as Json })) as unknown as Tracked;
}

/** Two batches that wait for each other are nobody's fault: the one that was ended is sent again, with the same ids. */
async function thrice<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1;; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isCollision = error instanceof Problem && /\b40(?:001|P01)\b/.test(String(error.parts.cause));
      if (!isCollision || attempt === 3) throw error;
    }
  }
}

/**
 * What may heal is 503 with a short Retry-After, the one answer that every client comes again after. Clients give up at 501
 * and 404, and some at 504.
 */
function retryable(error: unknown): unknown {
  if (!(error instanceof Problem) || ![502, 503, 504].includes(error.status)) return error;
  const cause = [error.code, error.parts.cause].filter(Boolean).join(": ");
  return new Problem("service_unavailable", { headers: { "retry-after": "1" }, cause });
}
