/** What a call can be (Segment, Spec). */
export const ITEM_TYPES = ["track", "identify", "page", "screen", "group", "alias"] as const;
/** One of {@link ITEM_TYPES}. */
export type ItemType = typeof ITEM_TYPES[number];

/** Whose wire format a request has. */
export type Source = "segment" | "rudderstack" | "posthog" | "jitsu";

/** A JSON object whose contents nobody has looked at. */
export type JsonObject = Record<string, unknown>;

/** One call in our own words, as `track_events()` takes it; whatever format it came in. */
export interface Item {
  /** Its place in the request. */
  index: number;
  /** The client's id, which is the same over retries; made here where the client gives none. */
  message_id: string;
  type: ItemType;
  event_name: string;
  /** The property `category`, where it is a short text. */
  event_category: string | null;
  user_id: string | null;
  anonymous_id: string | null;
  /** Who the user was until an alias. */
  previous_id: string | null;
  group_id: string | null;
  session_id: string | null;
  properties: JsonObject;
  /** With the traits of whom or what the call is about. */
  context: JsonObject;
  /** When it happened by the client's clock, in ISO 8601. */
  timestamp: string | null;
  /** When it was sent by the same clock, which tells how wrong the clock is. */
  sent_at: string | null;
  /** Sent by a machine that nobody sits in front of: kept, but counted nowhere. */
  is_bot?: true;
}

/** Why a call cannot be used. */
export type RejectionReason =
  | "alias_incomplete"
  | "context_invalid"
  | "event_name_missing"
  | "event_name_too_long"
  | "group_id_missing"
  | "id_invalid"
  | "id_too_long"
  | "message_id_invalid"
  | "no_user_anon_id"
  | "not_an_object"
  | "properties_invalid"
  | "timestamp_invalid"
  | "too_deep"
  | "too_large"
  | "traits_invalid"
  | "type_unknown";

/** A call that cannot be used, kept with its reason. */
export interface RejectedItem {
  index: number;
  message_id: string;
  reason: RejectionReason;
  /** Whom it names, as far as that can be told, so that erasing them finds it. */
  user_id: string | null;
  anonymous_id: string | null;
  /** As it came, or as much of it as is reasonable. */
  item: unknown;
}

/** Thrown where a call turns out to be unusable. */
export class Rejection extends Error {
  constructor(readonly reason: RejectionReason) {
    super(reason);
  }
}
