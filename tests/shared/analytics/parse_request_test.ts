import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { isBot } from "shared/analytics/bot.ts";
import { clientTime } from "shared/analytics/client_time.ts";
import { ITEM_TYPES } from "shared/analytics/item.ts";
import { MAX_ID_LENGTH, MAX_ITEM_BYTES, MAX_NAME_LENGTH } from "shared/analytics/limits.ts";
import { eventsOf } from "shared/analytics/parse_request.ts";
import { itemOf, parsed, reasonOf } from "./parsing.ts";

const TRACK = { type: "track", userId: "u1", event: "Ride" };

function nested(levels: number): unknown {
  return levels === 0 ? 1 : { a: nested(levels - 1) };
}

for (
  const [reason, call] of [
    ["not_an_object", 7],
    ["not_an_object", null],
    ["not_an_object", [TRACK]],
    ["type_unknown", { ...TRACK, type: "delete" }],
    ["type_unknown", { userId: "u1", event: "Ride" }],
    ["event_name_missing", { ...TRACK, event: " " }],
    ["event_name_missing", { ...TRACK, event: { toString: 1 } }],
    ["event_name_too_long", { ...TRACK, event: "x".repeat(MAX_NAME_LENGTH + 1) }],
    ["no_user_anon_id", { ...TRACK, userId: null }],
    ["no_user_anon_id", { ...TRACK, userId: "" }],
    ["no_user_anon_id", { ...TRACK, userId: "[object Object]" }],
    ["id_invalid", { ...TRACK, userId: { id: 1 } }],
    ["id_too_long", { ...TRACK, anonymousId: "x".repeat(MAX_ID_LENGTH + 1) }],
    ["alias_incomplete", { type: "alias", userId: "u1" }],
    ["alias_incomplete", { type: "alias", anonymousId: "a1", previousId: "p1" }],
    ["group_id_missing", { type: "group", userId: "u1" }],
    ["message_id_invalid", { ...TRACK, messageId: {} }],
    ["message_id_invalid", { ...TRACK, messageId: "x".repeat(MAX_ID_LENGTH + 1) }],
    ["properties_invalid", { ...TRACK, properties: [1] }],
    ["traits_invalid", { ...TRACK, traits: "x" }],
    ["context_invalid", { ...TRACK, context: 1 }],
    ["timestamp_invalid", { ...TRACK, timestamp: "yesterday" }],
    ["timestamp_invalid", { ...TRACK, timestamp: 1e18 }],
    ["too_deep", { ...TRACK, properties: nested(64) }],
    ["too_large", { ...TRACK, properties: { text: "x".repeat(MAX_ITEM_BYTES) } }],
    ["too_large", { ...TRACK, properties: { text: "€".repeat(MAX_ITEM_BYTES / 2) } }],
  ] as const
) {
  Deno.test(`parseRequest() rejects a call as ${reason}: ${JSON.stringify(call).slice(0, 50)}`, () => {
    const { items, rejected } = parsed({ batch: [TRACK, call] });

    assertEquals(items.map(({ index }) => index), [0]);
    assertEquals(rejected.map(({ index, reason }) => [index, reason]), [[1, reason]]);
  });
}

Deno.test("parseRequest() takes what is just within the limits", () => {
  const name = "x".repeat(MAX_NAME_LENGTH);

  const item = itemOf({ ...TRACK, event: name, userId: "u".repeat(MAX_ID_LENGTH), properties: nested(63) });

  assertEquals([item.event_name, item.user_id?.length], [name, MAX_ID_LENGTH]);
  const empty = JSON.stringify({ ...TRACK, properties: { text: "" } }).length;
  assertEquals(reasonOf({ ...TRACK, properties: { text: "x".repeat(MAX_ITEM_BYTES - empty) } }), undefined);
  assertEquals(reasonOf({ ...TRACK, properties: { text: "x".repeat(MAX_ITEM_BYTES - empty + 1) } }), "too_large");
});

Deno.test("parseRequest() makes text of numeric ids, and an id where there is none", () => {
  const item = itemOf({ ...TRACK, userId: 42 });

  assertEquals([item.user_id, item.message_id], ["42", "made-0"]);
});

Deno.test("parseRequest() needs no other id where a user's token came along", () => {
  assertEquals(reasonOf({ type: "track", event: "Ride" }, { hasUser: true }), undefined);
  assertEquals(reasonOf({ type: "alias", previousId: "p1" }, { hasUser: true }), undefined);
});

Deno.test("parseRequest() gives a batch's context to each call, whose own goes first, and keeps no address", () => {
  const { items } = parsed({
    context: { ip: "10.0.0.1", locale: "rw", app: "rider" },
    batch: [{ ...TRACK, context: { locale: "en" }, properties: { $ip: "10.0.0.2", fare: 1 } }],
  });

  assertEquals([items[0]!.context, items[0]!.properties], [{ locale: "en", app: "rider" }, { fare: 1 }]);
});

Deno.test("parseRequest() marks the calls of bots, by the request or by what the call says", () => {
  assertEquals(itemOf(TRACK, { userAgent: "Googlebot/2.1" }).is_bot, true);
  assertEquals(itemOf({ ...TRACK, context: { userAgent: "HeadlessChrome/150" } }).is_bot, true);
  assertEquals("is_bot" in itemOf(TRACK, { userAgent: "axios/1.7" }), false);
});

Deno.test("parseRequest() keeps a rejected call with whom it names, cut where it is large or deep", () => {
  const deep = JSON.parse(`${"[".repeat(20_000)}1${"]".repeat(20_000)}`);
  const { rejected } = parsed({
    batch: [
      { messageId: "m0", userId: "u1", anonymousId: "a1", type: "x" },
      { messageId: "m1", type: "track", properties: { text: "y".repeat(100_000) } },
      { type: "track", distinct_id: 7, properties: deep },
    ],
  }, { size: 500_000 });

  assertEquals(rejected.map(({ message_id, user_id, anonymous_id }) => [message_id, user_id, anonymous_id]), [
    ["m0", "u1", "a1"],
    ["m1", null, null],
    ["", "7", null],
  ]);
  assertEquals(rejected[0]!.item, { messageId: "m0", userId: "u1", anonymousId: "a1", type: "x" });
  assert(rejected.every(({ item }) => JSON.stringify(item).length < MAX_ITEM_BYTES));
});

Deno.test("parseRequest() cuts no character in half", () => {
  const id = `${"x".repeat(MAX_ID_LENGTH - 1)}😀`;
  const text = `${"x".repeat(1_999)}😀`.repeat(20);

  const { rejected } = parsed({ batch: [{ messageId: id, userId: id, properties: { text, [text]: 1 } }] });

  assert(!JSON.stringify(rejected).includes("\\ud83d"));
});

Deno.test("parseRequest() accounts for every call, whatever it is, with items of the agreed shape", () => {
  const value = fc.jsonValue({ maxDepth: 3 });
  const call = fc.record({
    type: fc.oneof(fc.constantFrom(...ITEM_TYPES), value),
    event: fc.oneof(fc.string(), value),
    userId: fc.oneof(fc.string({ maxLength: 300 }), value),
    anonymousId: value,
    previousId: value,
    groupId: value,
    messageId: fc.oneof(fc.uuid(), value),
    properties: fc.oneof(fc.dictionary(fc.string(), value), value),
    traits: value,
    context: fc.oneof(fc.dictionary(fc.constantFrom("userAgent", "sessionId", "ip", "__proto__"), value), value),
    timestamp: fc.oneof(fc.date({ noInvalidDate: true }).map((date) => date.toISOString()), value),
    sentAt: value,
    distinct_id: value,
    uuid: value,
    $set: value,
    offset: value,
  }, { requiredKeys: [] });
  const formats = fc.constantFrom("segment" as const, "posthog" as const, "jitsu" as const);
  const bodies = fc.oneof(
    call,
    fc.record({ batch: fc.array(fc.oneof(call, value)), context: value, sentAt: value }),
    value,
  );

  fc.assert(
    fc.property(bodies, formats, (body, format) => {
      const { items, rejected, received } = parsed(JSON.parse(JSON.stringify(body)), { format });

      const indexes = [...items, ...rejected].map(({ index }) => index).sort((one, other) => one - other);
      assertEquals(indexes, Array.from({ length: received }, (_, index) => index));
      for (const item of items) {
        assert(item.event_name.length >= 1 && item.event_name.length <= MAX_NAME_LENGTH);
        assert(item.user_id !== null || item.anonymous_id !== null);
        for (const id of [item.user_id, item.anonymous_id, item.previous_id, item.group_id, item.session_id]) {
          assert(id === null || (typeof id === "string" && id.length >= 1 && id.length <= MAX_ID_LENGTH));
        }
        assert(item.message_id.length >= 1 && item.message_id.length <= MAX_ID_LENGTH);
        for (const time of [item.timestamp, item.sent_at]) assert(time === null || /^\d{4}-/.test(time));
        for (const object of [item.properties, item.context]) {
          assert(typeof object === "object" && !Array.isArray(object));
        }
      }
    }),
    { numRuns: 500 },
  );
});

Deno.test("eventsOf() tells a call, a batch and a list from what is neither", () => {
  assertEquals(eventsOf({ event: 1 }), [{ event: 1 }]);
  assertEquals(eventsOf({ batch: [1] }), [1]);
  assertEquals(eventsOf([1, 2]), [1, 2]);
  assertEquals([eventsOf({ batch: {} }), eventsOf("x"), eventsOf(null)], [undefined, undefined, undefined]);
});

Deno.test("clientTime() reads ISO 8601 and milliseconds, in UTC where no zone is given", () => {
  for (
    const [given, expected] of [
      ["2026-11-23T08:00:00+02:00", "2026-11-23T06:00:00.000Z"],
      ["2026-11-23T08:00:00+0200", "2026-11-23T06:00:00.000Z"],
      ["2026-11-23 06:00:00.123456", "2026-11-23T06:00:00.123Z"],
      ["2026-11-23", "2026-11-23T00:00:00.000Z"],
      [1795413600000, "2026-11-23T06:00:00.000Z"],
      ["1795413600000", "2026-11-23T06:00:00.000Z"],
      ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"],
      ["2100-01-01T00:00:00Z", "2100-01-01T00:00:00.000Z"],
      [null, null],
      ["", null],
      ["2026-02-31T25:00:00Z", undefined],
      ["next week", undefined],
      [-1e17, undefined],
      [{}, undefined],
    ] as const
  ) {
    assertEquals(clientTime(given), expected, String(given));
  }
});

Deno.test("isBot() knows crawlers from people and from servers that send by HTTP", () => {
  const bots = [
    "Mozilla/5.0 (compatible; Googlebot/2.1)",
    "HeadlessChrome/150.0",
    "facebookexternalhit/1.1",
    "WhatsApp/2.23",
  ];
  const others = [
    "Mozilla/5.0 (Linux; Android 14; CUBOT X18)",
    "axios/1.7",
    "posthog-node/5.70.0",
    "okhttp/4",
    "python-requests/2",
  ];

  assertEquals([...bots, ...others].filter(isBot), bots);
});
