import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import {
  cancel,
  claim,
  complete,
  enqueue,
  enqueueAll,
  fail,
  openQueue,
  pass,
  QUEUE,
  redrive,
  refusalOf,
  release,
  states,
  tend,
} from "./queues.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

/** Enqueues messages with these names for one ordering key. */
async function line(sql: TransactionSql, names: string, draft: Record<string, unknown> = {}): Promise<string[]> {
  const drafts = [...names].map((name) => ({ payload: { name }, ordering_key: "trip-1", ...draft }));
  return (await enqueueAll(sql, drafts)).map(({ message_id }) => message_id);
}

/** Claims whatever is ready and gives the names, with the claims to end them. */
async function ready(sql: TransactionSql) {
  const claimed = await claim(sql, 100);
  return { claimed, names: claimed.map(({ payload }) => payload.name).join("") };
}

test("of an ordering key only the first message is ready", async (sql) => {
  await openQueue(sql);

  await line(sql, "ab");
  await line(sql, "c");
  await enqueue(sql, { ordering_key: "trip-2" });
  await enqueue(sql);

  assertEquals(await states(sql), ["ready", "blocked", "blocked", "ready", "ready"]);
});

test("messages without an ordering key wait for nobody, in one batch with those that have one", async (sql) => {
  await openQueue(sql);

  await enqueueAll(sql, [{}, { ordering_key: "trip-1" }, {}, { ordering_key: "trip-1" }, {}]);

  assertEquals(await states(sql), ["ready", "ready", "ready", "blocked", "ready"]);
});

test("the next message of an ordering key is ready when the first is completed", async (sql) => {
  await openQueue(sql);
  await line(sql, "abc");
  const seen: string[] = [];

  for (let n = 0; n < 3; n++) {
    const { claimed, names } = await ready(sql);
    seen.push(names, (await ready(sql)).names);
    await complete(sql, claimed);
  }

  assertEquals(seen, ["a", "", "b", "", "c", ""]);
  assertEquals(await states(sql), []);
});

test("an ordering key that had run empty begins anew", async (sql) => {
  await openQueue(sql);
  await line(sql, "a");
  await complete(sql, (await ready(sql)).claimed);

  await line(sql, "b");

  assertEquals((await ready(sql)).names, "b");
});

test("an ordering key that is old goes on, runs empty and begins anew like a young one", async (sql) => {
  await openQueue(sql);
  const seen: string[] = [];

  for (const names of ["ab", "c", "de"]) {
    await line(sql, names);
    for (let n = 0; n < names.length; n++) {
      await sql`update private.message_lanes set checked_at = now() - interval '1 minute'`;
      const { claimed, names } = await ready(sql);
      seen.push(names);
      await complete(sql, claimed);
    }
  }

  assertEquals(seen, ["a", "b", "c", "d", "e"]);
  const [lane] =
    await sql`select first_id >= (select last_value from public.message_queue_id_seq) as is_raised from private.message_lanes`;
  assertEquals(lane!.is_raised, true);
});

test("urgency does not overtake within an ordering key", async (sql) => {
  await openQueue(sql);
  await line(sql, "a", { priority: 9 });
  await line(sql, "b", { priority: 0 });

  const { claimed, names } = await ready(sql);
  await complete(sql, claimed);

  assertEquals([names, (await ready(sql)).names], ["a", "b"]);
});

test("those behind a scheduled message wait for it, and a time of their own counts when they come first", async (sql) => {
  await openQueue(sql);
  await line(sql, "a", { scheduled_at: new Date(Date.now() + 60_000) });
  await line(sql, "b", { scheduled_at: new Date(Date.now() + 180_000) });
  assertEquals(await states(sql), ["scheduled", "blocked"]);

  await pass(sql, "61 seconds");
  await tend(sql);
  await complete(sql, (await ready(sql)).claimed);

  assertEquals(await states(sql), ["scheduled"]);
  await pass(sql, "121 seconds");
  await tend(sql);
  assertEquals((await ready(sql)).names, "b");
});

for (const end of [fail, release]) {
  test(`those behind a message wait for it to be tried again after ${end.name}`, async (sql) => {
    await openQueue(sql);
    await line(sql, "ab");
    await end(sql, (await ready(sql)).claimed);
    assertEquals((await states(sql))[1], "blocked");

    await pass(sql, "1 hour");
    await tend(sql);

    assertEquals((await ready(sql)).names, "a");
  });
}

test("those behind a dead message wait, until it is redriven and done", async (sql) => {
  await openQueue(sql);
  await line(sql, "ab");
  await fail(sql, (await ready(sql)).claimed, { isPermanent: true });
  assertEquals([await states(sql), (await ready(sql)).names], [["dead", "blocked"], ""]);

  await redrive(sql);

  const { claimed, names } = await ready(sql);
  await complete(sql, claimed);
  assertEquals([names, (await ready(sql)).names], ["a", "b"]);
});

for (
  const [name, take] of Object.entries({
    cancel: (sql: TransactionSql, id: string) => cancel(sql, [id]),
    purge: (sql: TransactionSql) => sql`select public.purge_queue(${QUEUE}, '{dead}')`,
    retention: async (sql: TransactionSql, id: string) => {
      await sql`update public.message_queue set due_at = now() - interval '1 year' where id = ${id}`;
      await sql`select private.purge_message_queue()`;
    },
  })
) {
  test(`those behind a dead message go on when ${name} takes it away`, async (sql) => {
    await openQueue(sql);
    const [first] = await line(sql, "abc");
    await fail(sql, (await ready(sql)).claimed, { isPermanent: true });

    await take(sql, first!);

    assertEquals(await states(sql), ["ready", "blocked"]);
  });
}

test("those behind a dead message go on at once where the queue says so", async (sql) => {
  await openQueue(sql, { keeps_lane_behind_dead: false });
  await line(sql, "abc");

  await fail(sql, (await ready(sql)).claimed, { isPermanent: true });

  assertEquals(await states(sql), ["dead", "ready", "blocked"]);
});

test("a message that did not keep its lane waiting joins it again before the younger ones", async (sql) => {
  await openQueue(sql, { keeps_lane_behind_dead: false });
  const [a, b] = await line(sql, "abcd");
  for (let n = 0; n < 2; n++) await fail(sql, (await ready(sql)).claimed, { isPermanent: true });
  const { claimed, names } = await ready(sql);

  assertEquals(await redrive(sql, { message_ids: [a!, b!] }), [a, b]);
  assertEquals(await states(sql), ["blocked", "blocked", "leased", "blocked"]);

  const order = [names];
  await complete(sql, claimed);
  for (let n = 0; n < 3; n++) {
    const next = await ready(sql);
    order.push(next.names);
    await complete(sql, next.claimed);
  }
  assertEquals(order, ["c", "a", "b", "d"]);
});

test("redriven into an empty lane, one of several is ready", async (sql) => {
  await openQueue(sql, { keeps_lane_behind_dead: false });
  await line(sql, "ab");
  for (let n = 0; n < 2; n++) await fail(sql, (await ready(sql)).claimed, { isPermanent: true });

  await redrive(sql);

  assertEquals(await states(sql), ["ready", "blocked"]);
});

test("cancelling one that waits changes nothing for the others of its lane", async (sql) => {
  await openQueue(sql);
  const [, b] = await line(sql, "abc");

  await cancel(sql, [b!]);
  const { claimed, names } = await ready(sql);
  await complete(sql, claimed);

  assertEquals([names, (await ready(sql)).names], ["a", "c"]);
});

test("a duplicate takes no place in its lane", async (sql) => {
  await openQueue(sql);
  await enqueue(sql, { idempotency_key: "k" });

  await enqueueAll(sql, [
    { idempotency_key: "k", ordering_key: "trip-1" },
    { idempotency_key: "l", ordering_key: "trip-1" },
  ]);

  assertEquals(await states(sql), ["ready", "ready"]);
});

Deno.test("ordering is refused in a transaction that would not see what others did", async () => {
  const { sql } = await createTestDatabase();
  await openQueue(sql);

  await sql.begin("isolation level repeatable read", async (sql) => {
    assertEquals(await refusalOf(sql, (inner) => enqueue(inner, { ordering_key: "trip-1" })), [
      "read_committed_needed",
      null,
    ]);
    await enqueue(sql);
  });

  assertEquals(await states(sql), ["ready"]);
  await sql.end();
});

test("lanes without messages are forgotten after a while", async (sql) => {
  await openQueue(sql);
  await line(sql, "a");
  await complete(sql, (await ready(sql)).claimed);
  await enqueue(sql, { ordering_key: "trip-2" });
  await sql`update private.message_lanes set checked_at = now() - interval '1 hour'`;

  await sql`select private.purge_message_queue()`;

  const lanes = await sql`select ordering_key from private.message_lanes`;
  assertEquals(lanes.map(({ ordering_key }) => ordering_key), ["trip-2"]);
});
