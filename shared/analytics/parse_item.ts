import { isBot } from "./bot.ts";
import { isNestedDeeperThan, isTooLarge } from "./bounded.ts";
import { clientTime } from "./client_time.ts";
import { identifierOf } from "./identifier.ts";
import { type Item, ITEM_TYPES, type ItemType, type JsonObject, Rejection, type RejectionReason } from "./item.ts";
import { isObject } from "./json_object.ts";
import { MAX_ID_LENGTH, MAX_ITEM_DEPTH, MAX_NAME_LENGTH } from "./limits.ts";
import { segmentCallOf } from "./posthog_call.ts";

/** What the calls of one request have in common. */
export interface Envelope {
  /** The type of a call that names none, from the path. */
  type: string | undefined;
  isPostHog: boolean;
  /** A user's token came along, so nobody needs another id. */
  hasUser: boolean;
  context: JsonObject;
  sentAt: unknown;
  receivedAt: Date;
  createId: () => string;
  /** The request came from a bot. */
  isBot: boolean;
  /** Whether the request is so large that one call of it can be too large. */
  mayBeTooLarge: boolean;
}

/**
 * One call of a request as an item.
 *
 * @throws Rejection
 */
export function parseItem(event: unknown, index: number, envelope: Envelope): Item {
  if (!isObject(event)) throw new Rejection("not_an_object");
  if (isNestedDeeperThan(event, MAX_ITEM_DEPTH)) throw new Rejection("too_deep");
  if (envelope.mayBeTooLarge && isTooLarge(event)) throw new Rejection("too_large");
  const call = envelope.isPostHog ? segmentCallOf(event, envelope.receivedAt) : event;
  const type = typeOf(call.type ?? envelope.type);
  const context = contextOf(call, envelope);
  const properties = propertiesOf(type, call);
  return {
    index,
    message_id: messageIdOf(call.messageId, envelope),
    type,
    event_name: type === "track" ? nameOf(call.event) : type,
    event_category: categoryOf(properties),
    ...peopleOf(type, call, envelope.hasUser),
    session_id: sessionOf(context, call),
    properties,
    context,
    ...timesOf(call, envelope),
    ...(envelope.isBot || isBot(context.userAgent) ? { is_bot: true } : {}),
  };
}

function typeOf(value: unknown): ItemType {
  return ITEM_TYPES.includes(value as ItemType) ? value as ItemType : reject("type_unknown");
}

function nameOf(value: unknown): string {
  const name = typeof value === "string" ? value.trim() : "";
  if (name === "") throw new Rejection("event_name_missing");
  if (name.length > MAX_NAME_LENGTH) throw new Rejection("event_name_too_long");
  return name;
}

function categoryOf({ category }: JsonObject): string | null {
  return typeof category === "string" && category !== "" && category.length <= MAX_NAME_LENGTH ? category : null;
}

function messageIdOf(value: unknown, { createId }: Envelope): string {
  if (value === undefined || value === null || value === "") return createId();
  const isUsable = typeof value === "string" || typeof value === "number";
  return isUsable && String(value).length <= MAX_ID_LENGTH ? String(value) : reject("message_id_invalid");
}

function peopleOf(type: ItemType, call: JsonObject, hasUser: boolean) {
  const people = {
    user_id: identifierOf(call.userId),
    anonymous_id: identifierOf(call.anonymousId),
    previous_id: type === "alias" ? identifierOf(call.previousId) : null,
    group_id: type === "group" ? identifierOf(call.groupId) : null,
  };
  const hasId = hasUser || people.user_id !== null || people.anonymous_id !== null;
  if (!hasId) throw new Rejection("no_user_anon_id");
  if (type === "alias" && (people.previous_id === null || !(hasUser || people.user_id !== null))) {
    throw new Rejection("alias_incomplete");
  }
  if (type === "group" && people.group_id === null) throw new Rejection("group_id_missing");
  return people;
}

/** Clients may send any number of these ids a day, so an odd one costs the session, not the call. */
function sessionOf(context: JsonObject, call: JsonObject): string | null {
  const id = context.sessionId ?? call.sessionId;
  const isUsable = typeof id === "string" || typeof id === "number";
  return isUsable && String(id) !== "" && String(id).length <= MAX_ID_LENGTH ? String(id) : null;
}

/** Names of pages and screens are no names of events, whose number is small. */
function propertiesOf(type: ItemType, call: JsonObject): JsonObject {
  const properties = objectOf(call.properties, "properties_invalid");
  delete properties.$ip;
  if ((type === "page" || type === "screen") && typeof call.name === "string") {
    return { ...(call.category === undefined ? {} : { category: call.category }), name: call.name, ...properties };
  }
  return properties;
}

/** Where somebody is on the network is kept nowhere; traits stand where Segment puts those of other calls. */
function contextOf(call: JsonObject, envelope: Envelope): JsonObject {
  const context = { ...envelope.context, ...objectOf(call.context, "context_invalid") };
  delete context.ip;
  if (call.traits !== undefined && call.traits !== null) context.traits = objectOf(call.traits, "traits_invalid");
  return context;
}

function timesOf(call: JsonObject, envelope: Envelope): Pick<Item, "timestamp" | "sent_at"> {
  const timestamp = clientTime(call.originalTimestamp ?? call.timestamp);
  if (timestamp === undefined) throw new Rejection("timestamp_invalid");
  if (call.ignoreSentAt === true) return { timestamp, sent_at: null };
  return { timestamp, sent_at: clientTime(call.sentAt ?? envelope.sentAt) ?? null };
}

function objectOf(value: unknown, otherwise: RejectionReason): JsonObject {
  if (value === undefined || value === null) return {};
  return isObject(value) ? { ...value } : reject(otherwise);
}

function reject(reason: RejectionReason): never {
  throw new Rejection(reason);
}
