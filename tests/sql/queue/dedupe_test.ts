import { assertEquals } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { untilSomebodyWaits } from "../foundation/waiting.ts";
import { cancel, claim, complete, enqueue, enqueueAll, fail, openQueue, QUEUE, refusalOf, states } from "./queues.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

const KEYED = { idempotency_key: "fare-1", payload: { fare: 700 } };

test("the same idempotency key gives the first message's id", async (sql) => {
  await openQueue(sql);
  const first = await enqueue(sql, KEYED);

  const again = await enqueue(sql, KEYED);

  assertEquals([again.message_id, again.is_duplicate], [first.message_id, true]);
  assertEquals(await states(sql), ["ready"]);
});

test("an idempotency key stands for its message while that is leased, waiting or dead", async (sql) => {
  await openQueue(sql, { max_attempts: 2, dedupe_window: "0" });
  await enqueue(sql, KEYED);
  const seen: boolean[] = [];

  for (let attempt = 0; attempt < 2; attempt++) {
    const claimed = await claim(sql);
    seen.push((await enqueue(sql, KEYED)).is_duplicate);
    await fail(sql, claimed, { retryAfter: 0 });
    seen.push((await enqueue(sql, KEYED)).is_duplicate);
  }

  assertEquals([seen, await states(sql)], [[true, true, true, true], ["dead"]]);
});

test("an idempotency key stands for its message for the dedupe_window after it was completed", async (sql) => {
  await openQueue(sql, { dedupe_window: "1 hour" });
  const first = await enqueue(sql, KEYED);
  await complete(sql, await claim(sql));

  const within = await enqueue(sql, KEYED);
  await sql`update private.message_keys set expires_at = expires_at - interval '61 minutes'`;
  const after = await enqueue(sql, KEYED);

  assertEquals([within.message_id, within.is_duplicate, after.is_duplicate], [first.message_id, true, false]);
});

test("an idempotency key is free again when its message was cancelled", async (sql) => {
  await openQueue(sql);
  const { message_id } = await enqueue(sql, KEYED);
  await cancel(sql, [message_id]);

  assertEquals((await enqueue(sql, { ...KEYED, payload: { fare: 800 } })).is_duplicate, false);
});

test("the same idempotency key with another message is refused", async (sql) => {
  await openQueue(sql);
  await enqueue(sql, KEYED);

  for (const change of [{ payload: { fare: 800 } }, { message_type: "receipt.void" }]) {
    assertEquals(await refusalOf(sql, (inner) => enqueue(inner, { ...KEYED, ...change })), [
      "idempotency_key_reused",
      { idempotency_key: "fare-1" },
    ]);
  }
});

test("queues do not share idempotency keys", async (sql) => {
  await openQueue(sql);
  await openQueue(sql, {}, "others");

  assertEquals((await enqueue(sql, KEYED)).is_duplicate, false);
  assertEquals((await enqueue(sql, KEYED, "others")).is_duplicate, false);
});

test("within a batch the first message with a key counts", async (sql) => {
  await openQueue(sql);

  const [a, b, c] = await enqueueAll(sql, [KEYED, {}, KEYED]);

  assertEquals([a!.is_duplicate, b!.is_duplicate, c!.is_duplicate], [false, false, true]);
  assertEquals(c!.message_id, a!.message_id);
  assertEquals(await states(sql), ["ready", "ready"]);
});

test("purge_message_queue() forgets keys that have expired", async (sql) => {
  await openQueue(sql, { dedupe_window: "0" });
  await enqueueAll(sql, [KEYED, { ...KEYED, idempotency_key: "fare-2" }]);
  await complete(sql, await claim(sql, 1));

  await sql`update private.message_keys set expires_at = expires_at - interval '1 second'`;
  await sql`select private.purge_message_queue()`;

  const keys = await sql`select idempotency_key from private.message_keys where queue_name = ${QUEUE}`;
  assertEquals(keys.map(({ idempotency_key }) => idempotency_key), ["fare-2"]);
});

Deno.test("of twenty at the same moment with one idempotency key one enqueues, and all learn its id", async () => {
  const { sql, url } = await createTestDatabase();
  const callers = connect(url, { max: 8 });
  await openQueue(sql);

  const answers = await Promise.all(Array.from({ length: 20 }, () => enqueue(callers, KEYED)));

  assertEquals(answers.filter(({ is_duplicate }) => !is_duplicate).length, 1);
  assertEquals(new Set(answers.map(({ message_id }) => message_id)).size, 1);
  assertEquals(await states(sql), ["ready"]);
  await Promise.all([sql.end(), callers.end()]);
});

Deno.test("batches that share keys in opposite orders do not deadlock", async () => {
  const { sql, url } = await createTestDatabase();
  const callers = connect(url, { max: 8 });
  await openQueue(sql);
  const drafts = Array.from({ length: 60 }, (_, n) => ({ idempotency_key: `k-${n}`, ordering_key: `o-${n % 7}` }));

  const answers = await Promise.all(
    Array.from({ length: 24 }, (_, n) => enqueueAll(callers, n % 2 ? drafts : drafts.toReversed())),
  );

  assertEquals(answers.flat().filter(({ is_duplicate }) => !is_duplicate).length, 60);
  await Promise.all([sql.end(), callers.end()]);
});

Deno.test("an idempotency key is free for who waited while its message was completed", async () => {
  const { sql, url } = await createTestDatabase();
  const pool = connect(url, { max: 3 });
  await openQueue(sql, { dedupe_window: "0" });
  await enqueueAll(sql, [KEYED]);
  const claimed = await claim(sql);

  let waiting: ReturnType<typeof enqueueAll> | undefined;
  await pool.begin(async (transaction) => {
    await transaction`select from private.message_keys for update`;
    waiting = enqueueAll(pool, [KEYED]);
    await untilSomebodyWaits(sql);
    await complete(transaction, claimed);
  });
  await waiting;

  assertEquals(await states(sql), ["ready"]);
  await Promise.all([sql.end(), pool.end()]);
});
