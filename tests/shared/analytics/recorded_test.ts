import { assertEquals } from "@std/assert";
import { writeKeyOf } from "shared/analytics/parse_request.ts";
import { itemOf, parsed } from "./parsing.ts";
import { JITSU, POSTHOG_V0, POSTHOG_V1, RUDDERSTACK, SEGMENT } from "./recorded.ts";

/** What tells the items of one request apart. */
function told(body: unknown, given?: Parameters<typeof parsed>[1]): unknown[] {
  return parsed(body, given).items.map((
    { type, event_name, user_id, anonymous_id, previous_id, group_id, context },
  ) => [
    type,
    event_name,
    user_id,
    anonymous_id,
    previous_id ?? group_id,
    context.traits ?? null,
  ]);
}

Deno.test("parseRequest() reads what Segment's Node library sends", () => {
  const { source, received, items } = parsed(SEGMENT);

  assertEquals([source, received], ["segment", 5]);
  assertEquals(told(SEGMENT), [
    ["identify", "identify", "u1", "a1", null, { plan: "x" }],
    ["track", "Ride", "u1", null, null, null],
    ["page", "page", null, "a1", null, null],
    ["group", "group", "u1", null, "g1", { n: 1 }],
    ["alias", "alias", "u1", null, "p1", null],
  ]);
  assertEquals(items[1], {
    index: 1,
    message_id: SEGMENT.batch[1]!.messageId,
    type: "track",
    event_name: "Ride",
    event_category: null,
    user_id: "u1",
    anonymous_id: null,
    previous_id: null,
    group_id: null,
    session_id: null,
    properties: { fare: 1 },
    context: { library: { name: "@segment/analytics-node", version: "3.1.0" } },
    timestamp: SEGMENT.batch[1]!.timestamp,
    sent_at: SEGMENT.sentAt,
  });
  assertEquals([items[2]!.properties, items[2]!.event_category], [{ category: "c", name: "Home" }, "c"]);
  assertEquals(writeKeyOf(SEGMENT), "wk_1");
});

Deno.test("parseRequest() reads what RudderStack's Node library sends: its own times, before the batch's", () => {
  const { source, items } = parsed(RUDDERSTACK);

  assertEquals(source, "rudderstack");
  assertEquals(told(RUDDERSTACK), [
    ["identify", "identify", "u1", null, null, { a: 1 }],
    ["page", "page", "u1", null, null, null],
  ]);
  assertEquals(items.map(({ timestamp, sent_at }) => [timestamp, sent_at]), [
    [RUDDERSTACK.batch[0]!.originalTimestamp, RUDDERSTACK.batch[0]!.sentAt],
    [RUDDERSTACK.batch[1]!.originalTimestamp, RUDDERSTACK.batch[1]!.sentAt],
  ]);
});

for (
  const [version, body, sentAt] of [["v0", POSTHOG_V0, null], ["v1", POSTHOG_V1, "2026-11-23T04:40:30.603Z"]] as const
) {
  Deno.test(`parseRequest() reads what PostHog's Node library sends (${version})`, () => {
    const { source, items } = parsed(body, { format: version === "v0" ? "segment" : "posthog", sentAt });

    assertEquals(source, "posthog");
    assertEquals(told(body, { format: version === "v0" ? "segment" : "posthog" }), [
      ["track", "Ride", "u1", null, null, null],
      ["track", "anon", null, body.batch[1]!.distinct_id, null, null],
      ["identify", "identify", "u1", null, null, { plan: "x", a: 1 }],
      ["alias", "alias", "u1", null, "old", null],
      ["group", "group", null, "$company_g1", "g1", { a: 1 }],
    ]);
    assertEquals(items.map(({ message_id }) => message_id), body.batch.map(({ uuid }) => uuid));
    assertEquals([items[0]!.timestamp, items[0]!.sent_at], [
      body.batch[0]!.timestamp,
      sentAt ?? (body as typeof POSTHOG_V0).sent_at,
    ]);
  });
}

Deno.test("writeKeyOf() finds PostHog's key, in a batch and among the properties of its browser library", () => {
  assertEquals(writeKeyOf(POSTHOG_V0), "phc_1");
  assertEquals(writeKeyOf([{ event: "a", properties: { token: "phc_2", distinct_id: "u1" } }]), "phc_2");
  assertEquals(writeKeyOf({ type: "track", event: "a", properties: { token: "a phone's" } }), null);
});

Deno.test("parseRequest() reads what Jitsu's library sends", () => {
  const item = itemOf(JITSU, { format: "jitsu", type: "track" });

  assertEquals(parsed(JITSU, { format: "jitsu" }).source, "jitsu");
  assertEquals([item.type, item.event_name, item.user_id, item.anonymous_id, item.message_id], [
    "track",
    "Ride",
    null,
    JITSU.anonymousId,
    JITSU.messageId,
  ]);
});

Deno.test("parseRequest() reads what PostHog's browser library says of somebody unknown, identified and grown old", () => {
  const event = (name: string, properties: object, rest: object = {}) => ({
    event: name,
    properties: { token: "phc", distinct_id: "d1", $session_id: "s1", $lib: "web", $ip: "10.0.0.1", ...properties },
    ...rest,
  });
  const body = [
    event("$pageview", { $device_id: "d1", title: "Home", $current_url: "https://a.example" }),
    event("$identify", { distinct_id: "u1", $anon_distinct_id: "d1" }, { $set: { plan: "x" } }),
    event("Ride", { distinct_id: "u1", $device_id: "d1", $is_identified: true }, { offset: 2_000 }),
    event("Ride", { distinct_id: "u1", $ignore_sent_at: true }, { timestamp: "2020-01-01T00:00:00Z" }),
  ];

  const { items } = parsed(body, { format: "posthog" });

  assertEquals(told(body, { format: "posthog" }), [
    ["page", "page", null, "d1", null, null],
    ["identify", "identify", "u1", "d1", null, { plan: "x" }],
    ["track", "Ride", "u1", null, null, null],
    ["track", "Ride", "u1", null, null, null],
  ]);
  assertEquals(items[0]!.properties, { name: "Home", title: "Home", $current_url: "https://a.example" });
  assertEquals([items[0]!.session_id, items[0]!.context], ["s1", {
    library: { name: "web", version: undefined },
    sessionId: "s1",
  }]);
  assertEquals(items.slice(2).map(({ timestamp, sent_at }) => [timestamp, sent_at]), [
    ["2026-11-23T05:59:58.000Z", null],
    ["2020-01-01T00:00:00.000Z", null],
  ]);
});
