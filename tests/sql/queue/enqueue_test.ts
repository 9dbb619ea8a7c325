import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { claim, claimOne, type Draft, enqueue, enqueueAll, openQueue, QUEUE, refusalOf, states } from "./queues.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("enqueue_message() makes a message ready, as it was given", async (sql) => {
  await openQueue(sql, { max_attempts: 3 });

  const { message_id, is_duplicate } = await enqueue(sql, { payload: { trip: "t-1" }, headers: { lang: "rw" } });

  const message = await claimOne(sql);
  assertEquals([message.id, is_duplicate], [message_id, false]);
  assertEquals([message.message_type, message.payload, message.headers], ["receipt.send", { trip: "t-1" }, {
    lang: "rw",
  }]);
  assertEquals([message.priority, message.attempt_count, message.max_attempts], [5, 1, 3]);
});

test("enqueue_message() keeps a message back until it is scheduled", async (sql) => {
  await openQueue(sql);

  await enqueue(sql, { scheduled_at: new Date(Date.now() + 60_000) });
  await enqueue(sql, { scheduled_at: new Date(Date.now() - 60_000) });

  assertEquals(await states(sql), ["scheduled", "ready"]);
});

test("enqueue_message() keeps the correlation id of whoever enqueues", async (sql) => {
  await openQueue(sql);
  await sql`select private.continue_correlation('trip-7')`;

  await enqueue(sql);

  assertEquals((await claimOne(sql)).correlation_id, "trip-7");
});

test("enqueue_messages() answers in the order of the messages", async (sql) => {
  await openQueue(sql);

  const enqueued = await enqueueAll(sql, [{ payload: { n: 1 } }, { payload: { n: 2 } }, { payload: { n: 3 } }]);

  const claimed = await claim(sql);
  assertEquals(claimed.map(({ id }) => id), enqueued.map(({ message_id }) => message_id));
  assertEquals(claimed.map(({ payload }) => payload.n), [1, 2, 3]);
});

test("enqueue_messages() takes none when there are none", async (sql) => {
  await openQueue(sql);

  assertEquals(await enqueueAll(sql, []), []);
});

const BAD: [argument: string, draft: Draft][] = [
  ["message_type", { message_type: "" }],
  ["message_type", { message_type: "x".repeat(101) }],
  ["payload", { payload: null }],
  ["payload", { payload: [1] }],
  ["payload", { payload: { text: "x".repeat(300_000) } }],
  ["priority", { priority: 10 }],
  ["priority", { priority: -1 }],
  ["scheduled_at", { scheduled_at: "9999-01-01T00:00:00Z" }],
  ["idempotency_key", { idempotency_key: "" }],
  ["idempotency_key", { idempotency_key: "x".repeat(256) }],
  ["ordering_key", { ordering_key: "x".repeat(256) }],
  ["max_attempts", { max_attempts: 0 }],
  ["headers", { headers: { text: "x".repeat(20_000) } }],
];

for (const [argument, draft] of BAD) {
  const shown = JSON.stringify(draft).slice(0, 40);

  test(`enqueue_message() refuses ${shown}`, async (sql) => {
    await openQueue(sql);

    const [code, details] = await refusalOf(sql, (inner) => enqueue(inner, draft));

    assertEquals([code, details], ["invalid_argument", { index: 0, argument }]);
  });

  test(`enqueue_messages() refuses ${shown} and says which it is`, async (sql) => {
    await openQueue(sql);

    const [code, details] = await refusalOf(sql, (inner) => enqueueAll(inner, [{}, draft]));

    assertEquals([code, details], ["invalid_argument", { index: 1, argument }]);
    assertEquals(await states(sql), []);
  });
}

for (
  const [argument, draft] of [
    ["prio", { prio: 1 }],
    ["priority", { priority: "soon" }],
    ["scheduled_at", { scheduled_at: "tomorrow or so" }],
    ["max_attempts", { max_attempts: 1.5 }],
  ] as const
) {
  test(`enqueue_messages() refuses what is no ${argument}: ${JSON.stringify(draft)}`, async (sql) => {
    await openQueue(sql);

    assertEquals(await refusalOf(sql, (inner) => enqueueAll(inner, [draft])), [
      "invalid_argument",
      { index: 0, argument },
    ]);
  });
}

test("enqueue_messages() takes a thousand messages and refuses more", async (sql) => {
  await openQueue(sql);

  const enqueued = await enqueueAll(sql, Array(1_000).fill({}));
  const [code] = await refusalOf(sql, (inner) => enqueueAll(inner, Array(1_001).fill({})));

  assertEquals([enqueued.length, code], [1_000, "invalid_argument"]);
});

test("enqueue_message() refuses a queue that nobody made", async (sql) => {
  assertEquals(await refusalOf(sql, (inner) => enqueue(inner)), ["queue_not_found", { queue_name: QUEUE }]);
});
