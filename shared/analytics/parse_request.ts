import { isBot } from "./bot.ts";
import { cut, kept } from "./bounded.ts";
import { type Item, type JsonObject, type RejectedItem, Rejection, type RejectionReason, type Source } from "./item.ts";
import { isObject } from "./json_object.ts";
import { MAX_ID_LENGTH, MAX_ITEM_BYTES } from "./limits.ts";
import { type Envelope, parseItem } from "./parse_item.ts";

/** What is known about a request besides its body. */
export interface WireRequest {
  /** The format that the path belongs to; Segment's paths serve RudderStack's and PostHog's libraries too. */
  format: "segment" | "posthog" | "jitsu";
  /** The type that the path names. */
  type?: string;
  /** A verified user's token came along. */
  hasUser: boolean;
  /** When the client sent it, by a header of its own (PostHog v1). */
  sentAt?: string | null;
  userAgent: string | null;
  receivedAt: Date;
  /** Length of the body's text. */
  size: number;
  createId: () => string;
}

/** A request in our own words. */
export interface ParsedRequest {
  source: Source;
  /** Calls that the request held. */
  received: number;
  items: Item[];
  rejected: RejectedItem[];
}

/** The calls of a body, whatever format it has; undefined when it is neither a call nor a batch of them. */
export function eventsOf(body: unknown): unknown[] | undefined {
  if (Array.isArray(body)) return body;
  if (!isObject(body)) return undefined;
  if (body.batch === undefined) return [body];
  return Array.isArray(body.batch) ? body.batch : undefined;
}

/** The key that a body carries, under any of its names; browsers' beacons and PostHog have no other place for it. */
export function writeKeyOf(body: unknown): string | null {
  const first = eventsOf(body)?.[0];
  // Elsewhere a property of this name is anything, a phone's push token for one.
  const posthog = isObject(first) && isObject(first.properties) && "distinct_id" in first.properties
    ? first.properties
    : {};
  const places = [body, first, posthog].filter(isObject);
  const keys = places.flatMap(({ writeKey, api_key, token }) => [writeKey, api_key, token]);
  return keys.find((key): key is string => typeof key === "string" && key !== "") ?? null;
}

/** Reads every call of a body; what is wrong with one is its own affair. */
export function parseRequest(body: unknown, events: readonly unknown[], request: WireRequest): ParsedRequest {
  const envelope = envelopeOf(body, events, request);
  const parsed: ParsedRequest = {
    source: sourceOf(events, envelope, request),
    received: events.length,
    items: [],
    rejected: [],
  };
  events.forEach((event, index) => add(parsed, event, index, envelope));
  return parsed;
}

function add(parsed: ParsedRequest, event: unknown, index: number, envelope: Envelope): void {
  try {
    parsed.items.push(parseItem(event, index, envelope));
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    parsed.rejected.push(rejected(event, index, error.reason));
  }
}

function rejected(event: unknown, index: number, reason: RejectionReason): RejectedItem {
  const { userId, distinct_id, anonymousId } = isObject(event) ? event : {};
  return {
    index,
    message_id: clientIdOf(event) ?? "",
    reason,
    user_id: shortText(userId ?? distinct_id),
    anonymous_id: shortText(anonymousId),
    item: kept(event),
  };
}

function envelopeOf(body: unknown, events: readonly unknown[], request: WireRequest): Envelope {
  const shared: JsonObject = isObject(body) && body.batch !== undefined ? body : {};
  return {
    type: request.type,
    isPostHog: request.format === "posthog" || "api_key" in shared || isPostHogEvent(events[0]),
    hasUser: request.hasUser,
    context: isObject(shared.context) ? shared.context : {},
    sentAt: request.sentAt ?? shared.sentAt ?? shared.sent_at ?? (isObject(body) ? body.sent_at : undefined),
    receivedAt: request.receivedAt,
    createId: request.createId,
    isBot: isBot(request.userAgent),
    mayBeTooLarge: request.size * 3 > MAX_ITEM_BYTES,
  };
}

function isPostHogEvent(event: unknown): boolean {
  return isObject(event) && event.type === undefined && ("distinct_id" in event || "api_key" in event);
}

function sourceOf([first]: readonly unknown[], { isPostHog }: Envelope, { format }: WireRequest): Source {
  if (isPostHog) return "posthog";
  // Only RudderStack's libraries name a channel.
  if (format === "segment" && isObject(first) && typeof first.channel === "string") return "rudderstack";
  return format === "jitsu" ? "jitsu" : "segment";
}

/** The id by which a client knows a call; null where it has none that can be told. */
export function clientIdOf(event: unknown): string | null {
  const { messageId, uuid } = isObject(event) ? event : {};
  return shortText(messageId ?? uuid);
}

function shortText(value: unknown): string | null {
  return typeof value === "string" || typeof value === "number" ? cut(String(value), MAX_ID_LENGTH) : null;
}
