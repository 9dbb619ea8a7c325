import { assertEquals } from "@std/assert";
import { expectedItems, expectedStore } from "./expected.ts";

const NOW = new Date("2026-11-20T12:00:00Z");
const T = NOW.getTime() / 1000 - 3600;
const DAY = 86_400;
const metadata = { display_phone_number: "250788000001", phone_number_id: "100000000000001" };

type Value = Record<string, unknown>;

function bodyOf(value: Value, { field = "messages", time = T as number | undefined } = {}) {
  const json = {
    object: "whatsapp_business_account",
    entry: [{ id: "1", time, changes: [{ field, value: { metadata, ...value } }] }],
  };
  return { bytes: new TextEncoder().encode(JSON.stringify(json)) };
}

/** Path below the change's value, kind and outcome of each item. */
function told(value: Value, options?: { field?: string; time?: number }): string[] {
  return expectedItems(bodyOf(value, options).bytes, NOW).map(({ path, kind, outcome, reason }) =>
    [path.replace("/entry/0/changes/0/value", ""), kind, outcome, reason ?? ""].join(" ").trim()
  );
}

const text = (id: string, extra: Value = {}) => ({
  id,
  from: "250788000101",
  timestamp: String(T),
  type: "text",
  ...extra,
});
const status = (name: string, extra: Value = {}) => ({ id: "w1", status: name, timestamp: String(T), ...extra });
const history = (message: Value) => bodyOf({ history: [{ threads: [{ messages: [message] }] }] }, { field: "history" });

Deno.test("expectedItems() explodes messages and statuses, leaves contacts alone and keeps new arrays", () => {
  const value = {
    contacts: [{ wa_id: "250788000101" }],
    messages: [text("w1")],
    statuses: [status("sent")],
    "a/b~": [{}],
  };

  assertEquals(told(value), ["/messages/0 message stored", "/statuses/0 status stored", "/a~1b~0/0 unknown stored"]);
});

Deno.test("expectedItems() names what is wrong with an element", () => {
  const messages = [
    null,
    text(""),
    text("w1", { timestamp: "soon" }),
    text("w2"),
    text("w2"),
    text("w3", { timestamp: T - 36 * DAY }),
  ];

  assertEquals(told({ messages }), [
    "/messages/0 message dead_letter not_an_object",
    "/messages/1 message dead_letter invalid_id",
    "/messages/2 message dead_letter invalid_timestamp",
    "/messages/3 message stored",
    "/messages/4 message duplicate",
    "/messages/5 message stale",
  ]);
});

Deno.test("expectedItems() judges the history's age by the entry alone", () => {
  const value = { messages: [text("w1", { timestamp: T - 900 * DAY })] };

  assertEquals(told(value, { field: "history" }), ["/messages/0 history stored"]);
  assertEquals(told(value, { field: "history", time: T - 36 * DAY }), ["/messages/0 history stale"]);
});

Deno.test("expectedItems() takes a chunk of history without messages or errors as an event", () => {
  const value = {
    history: [{ threads: [] }, { errors: [{ code: 2593109 }] }, { threads: [{ messages: [text("w1")] }] }],
  };

  assertEquals(told(value, { field: "history" }), [
    "/history/0 event stored",
    "/history/1/errors/0 event stored",
    "/history/2/threads/0/messages/0 history stored",
  ]);
});

Deno.test("expectedItems() stores a new status as unknown and cannot route without a number", () => {
  assertEquals(told({ statuses: [status("pondered")] }), ["/statuses/0 unknown stored"]);
  assertEquals(told({ metadata: {}, statuses: [status("sent")] }), ["/statuses/0 status unroutable"]);
});

Deno.test("expectedItems() gives one item to a known field, a new field and an empty value", () => {
  assertEquals(told({ event: "FLAGGED" }, { field: "phone_number_quality_update" }), ["event stored"]);
  assertEquals(told({}, { field: "pigeons" }), ["unknown stored"]);
  assertEquals(told({ messages: [] }), ["unknown stored"]);
});

Deno.test("expectedItems() knows a body that is no JSON and one that is no envelope", () => {
  const itemsOf = (body: string) => expectedItems(new TextEncoder().encode(body), NOW);
  const item = { path: "", kind: "unknown" as const, occurred_at: null };

  assertEquals(itemsOf("{"), [{ ...item, outcome: "dead_letter", reason: "not_json" }]);
  assertEquals(itemsOf('{"object":"page","entry":[{}]}'), [{ ...item, outcome: "stored", reason: null }]);
});

Deno.test("expectedItems() remembers keys that earlier deliveries stored", () => {
  const seen = new Set<string>();
  const outcomes = [1, 2].map(() => expectedItems(bodyOf({ messages: [text("w1")] }).bytes, NOW, seen)[0]?.outcome);

  assertEquals(outcomes, ["stored", "duplicate"]);
});

for (
  const [name, seen, current] of [
    ["read implies delivered", "read sent", "read"],
    ["failed wins over sent", "failed sent", "failed"],
    ["failed loses against delivered", "failed delivered", "delivered"],
    ["played is the last", "played read", "played"],
  ] as const
) {
  Deno.test(`expectedStore() merges statuses: ${name}`, () => {
    const deliveries = seen.split(" ").map((status, later) =>
      bodyOf({ statuses: [{ id: "w1", status, timestamp: T + later }] })
    );

    const { statuses } = expectedStore(deliveries, NOW);

    assertEquals(statuses.map(({ status, times }) => [status, Object.keys(times).length]), [[current, 2]]);
  });
}

Deno.test("expectedStore() keeps the participants of a group apart", () => {
  const participants = [
    { recipient_participant_id: "250788000101" },
    { participant_recipient_id: "250788000102" },
    { recipient_participant_user_id: "RW.1" },
    {},
  ];

  const { statuses } = expectedStore([bodyOf({ statuses: participants.map((who) => status("sent", who)) })], NOW);

  assertEquals(statuses.map(({ participant }) => participant).sort(), ["", "250788000101", "250788000102", "RW.1"]);
});

Deno.test("expectedStore() prefers the live message to the history and real media to a placeholder", () => {
  const placeholder = history(text("w1", { type: "media_placeholder" }));
  const real = history(text("w1", { type: "image" }));
  const live = bodyOf({ messages: [text("w1", { type: "video" })] });
  const typesOf = (...deliveries: { bytes: Uint8Array<ArrayBuffer> }[]) =>
    expectedStore(deliveries, NOW).messages.map(({ type }) => type);

  assertEquals([typesOf(placeholder, real), typesOf(real, placeholder)], [["image"], ["image"]]);
  assertEquals([typesOf(live, real), typesOf(real, live)], [["video"], ["video"]]);
});

Deno.test("expectedStore() tells what the business sent from what it received", () => {
  const sent = text("w1", { from: "250788000001", to: "250788000102" });

  const { messages } = expectedStore([history(sent), history(text("w2"))], NOW);

  assertEquals(messages.map(({ direction, sender }) => [direction, sender.wa_id]), [
    ["outbound", "250788000102"],
    ["inbound", "250788000101"],
  ]);
});

Deno.test("expectedStore() sees one person where a message names two identifiers", () => {
  const senders = [{ from: "250788000101" }, { from: undefined, from_user_id: "RW.1" }, { from_user_id: "RW.1" }];
  const deliveries = senders.map((sender, index) => bodyOf({ messages: [text(`w${index}`, sender)] }));

  assertEquals(expectedStore(deliveries.slice(0, 2), NOW).people, [["250788000101"], ["RW.1"]]);
  assertEquals(expectedStore(deliveries, NOW).people, [["250788000101", "RW.1"]]);
});

Deno.test("expectedStore() counts copies and stores them once, cleaned", () => {
  const delivery = bodyOf({ event: "a\0b\ud800" }, { field: "account_update" });

  const { copies, events } = expectedStore([delivery, delivery], NOW);

  assertEquals(Object.values(copies), [2]);
  assertEquals(events.map(({ content }) => JSON.parse(content).event), ["a\ufffdb\ufffd"]);
});

Deno.test("expectedStore() holds an account's event twice when it happened twice", () => {
  const flagged = (time: number) => bodyOf({ event: "FLAGGED" }, { field: "phone_number_quality_update", time });

  assertEquals(expectedStore([flagged(T), flagged(T - 60)], NOW).events.length, 2);
});

Deno.test("expectedStore() keeps the earliest time of a status that came twice", () => {
  const deliveries = [T + 5, T, T + 9].map((timestamp) => bodyOf({ statuses: [{ ...status("read"), timestamp }] }));

  const { statuses } = expectedStore(deliveries, NOW);

  assertEquals(statuses.map(({ times }) => times), [{ read: new Date(T * 1000) }]);
});

Deno.test("expectedStore() prefers the live message to the history of the same body too", () => {
  const past = { field: "history", value: { metadata, messages: [text("w1", { type: "image" })] } };
  const live = { field: "messages", value: { metadata, messages: [text("w1", { type: "video" })] } };
  const entry = [{ id: "1", changes: [past, live] }];
  const bytes = new TextEncoder().encode(JSON.stringify({ object: "whatsapp_business_account", entry }));

  assertEquals(expectedStore([{ bytes }], NOW).messages.map(({ type }) => type), ["video"]);
});
