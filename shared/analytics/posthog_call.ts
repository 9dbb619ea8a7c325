import type { JsonObject } from "./item.ts";
import { isObject } from "./json_object.ts";

/** What PostHog's libraries put among the properties that is none, and what stands elsewhere in an item. */
const NOT_PROPERTIES = ["token", "distinct_id", "$anon_distinct_id", "alias", "$set", "$set_once", "$session_id"]
  .concat("$group_key", "$group_set", "$lib", "$lib_version", "$raw_user_agent", "$user_id", "$device_id", "$sent_at");

/**
 * PostHog's event as the Segment call that says the same, so that one parser serves both.
 *
 * @param receivedAt - what `offset` counts back from
 * @see PostHog, rust/capture: v0 has the person's id in the event or its properties, v1 has `options`
 */
export function segmentCallOf(event: JsonObject, receivedAt: Date): JsonObject {
  const given = isObject(event.properties) ? event.properties : {};
  const call: JsonObject = {
    ...kindOf(event, given),
    messageId: event.uuid ?? given.$insert_id,
    properties: event.properties === undefined || isObject(event.properties) ? without(given) : event.properties,
    context: contextOf(given),
    ...timesOf(event, given, receivedAt),
  };
  if (!call.traits && (isObject(given.$set) || isObject(given.$set_once))) call.traits = traitsOf(event, given);
  return call;
}

function kindOf(event: JsonObject, given: JsonObject): JsonObject {
  const id = event.distinct_id ?? given.distinct_id ?? event.$distinct_id;
  switch (event.event) {
    case "$identify":
      return { type: "identify", userId: id, anonymousId: given.$anon_distinct_id, traits: traitsOf(event, given) };
    case "$set":
      return { type: "identify", ...personOf(id, event, given), traits: traitsOf(event, given) };
    case "$create_alias":
    case "$merge_dangerously":
      return { type: "alias", userId: id, previousId: given.alias };
    case "$groupidentify":
      // Its id is made of the group's: nobody did this.
      return { type: "group", anonymousId: id, groupId: given.$group_key, traits: given.$group_set ?? {} };
    case "$pageview":
      return { type: "page", name: given.title, ...personOf(id, event, given) };
    case "$screen":
      return { type: "screen", name: given.$screen_name, ...personOf(id, event, given) };
    default:
      return { type: "track", event: event.event, ...personOf(id, event, given) };
  }
}

/** PostHog has one kind of id; who has not been identified is told by other signs. */
function personOf(id: unknown, event: JsonObject, given: JsonObject): JsonObject {
  const options = isObject(event.options) ? event.options : {};
  const isAnonymous = given.$is_identified === false || id === given.$device_id ||
    given.$process_person_profile === false || options.process_person_profile === false;
  return isAnonymous ? { anonymousId: id } : { userId: id };
}

function traitsOf(event: JsonObject, given: JsonObject): JsonObject {
  const [set, once] = [event.$set ?? given.$set, event.$set_once ?? given.$set_once];
  return { ...(isObject(once) ? once : {}), ...(isObject(set) ? set : {}) };
}

function contextOf(given: JsonObject): JsonObject {
  return {
    ...(given.$lib === undefined ? {} : { library: { name: given.$lib, version: given.$lib_version } }),
    ...(given.$raw_user_agent === undefined ? {} : { userAgent: given.$raw_user_agent }),
    ...(given.$session_id === undefined ? {} : { sessionId: given.$session_id }),
  };
}

function timesOf(event: JsonObject, given: JsonObject, receivedAt: Date): JsonObject {
  if (typeof event.offset === "number" && event.timestamp === undefined) {
    return { timestamp: receivedAt.getTime() - event.offset, ignoreSentAt: true };
  }
  const options = isObject(event.options) ? event.options : {};
  const ignoreSentAt = given.$ignore_sent_at === true || options.disable_skew_correction === true;
  return { timestamp: event.timestamp, ignoreSentAt };
}

function without(given: JsonObject): JsonObject {
  const properties = { ...given };
  for (const name of NOT_PROPERTIES) delete properties[name];
  return properties;
}
