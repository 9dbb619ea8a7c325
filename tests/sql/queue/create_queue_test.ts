import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { claim, claimOne, complete, enqueue, finished, openQueue, QUEUE, refusalOf, states } from "./queues.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("create_queue() changes what is given and keeps the rest", async (sql) => {
  await openQueue(sql, { max_attempts: 3, lease_seconds: 5 });

  await openQueue(sql, { lease_seconds: 7 });
  await openQueue(sql);

  const [queue] = await sql`select max_attempts, lease_seconds from public.message_queues where queue_name = ${QUEUE}`;
  assertEquals({ ...queue }, { max_attempts: 3, lease_seconds: 7 });
});

for (
  const [argument, settings] of [
    ["queue_name", { queue_name: "Receipts!" }],
    ["max_attempts", { max_attempts: 0 }],
    ["lease_seconds", { lease_seconds: 100_000 }],
    ["shortest_backoff", { shortest_backoff: "-1 second" }],
    ["longest_backoff", { longest_backoff: "8 days" }],
    ["dedupe_window", { dedupe_window: "32 days" }],
    ["dead_retention", { dead_retention: "2 years" }],
  ] as const
) {
  test(`create_queue() refuses a ${argument} out of range`, async (sql) => {
    assertEquals(await refusalOf(sql, (inner) => openQueue(inner, settings)), ["invalid_argument", { argument }]);
  });
}

test("a paused queue takes messages and gives none until it goes on", async (sql) => {
  await openQueue(sql, { is_paused: true });
  await enqueue(sql);

  assertEquals(await claim(sql), []);

  await openQueue(sql, { is_paused: false });
  assertEquals((await claim(sql)).length, 1);
});

for (const [kept, expected] of [["all", ["smooth", "late"]], ["failures", ["late"]], ["none", []]] as const) {
  test(`a queue that keeps ${kept} remembers ${expected.join(" and ") || "nothing"}`, async (sql) => {
    await openQueue(sql, { keep_history: kept });
    await enqueue(sql, { payload: { name: "smooth" } });
    await complete(sql, await claim(sql));
    await enqueue(sql);
    await sql`update public.message_queue set last_error = 'once'`;
    await complete(sql, await claim(sql));

    const names = (await finished(sql)).map(({ last_error }) => last_error ? "late" : "smooth");
    assertEquals(names, [...expected]);
  });
}

test("delete_queue() deletes an empty queue and refuses one that is not", async (sql) => {
  await openQueue(sql);
  await enqueue(sql, { idempotency_key: "k", ordering_key: "o" });
  const remove = (inner: typeof sql) => inner`select public.delete_queue(${QUEUE})`;

  assertEquals(await refusalOf(sql, remove), ["queue_not_empty", { queue_name: QUEUE }]);

  await complete(sql, [await claimOne(sql)]);
  await remove(sql);
  assertEquals(await refusalOf(sql, remove), ["queue_not_found", { queue_name: QUEUE }]);
  await openQueue(sql);
  await enqueue(sql, { idempotency_key: "k", ordering_key: "o", payload: { another: true } });
  assertEquals(await states(sql), ["ready"]);
});
