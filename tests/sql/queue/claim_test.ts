import { assertEquals, assertNotEquals } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { claim, claimOne, complete, enqueue, enqueueAll, openQueue, pass, refusalOf, tend } from "./queues.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("claim_messages() gives the most urgent first, and of those the oldest", async (sql) => {
  await openQueue(sql);
  await enqueueAll(
    sql,
    [[5, "c"], [9, "e"], [0, "a"], [5, "d"], [0, "b"]].map(([priority, name]) => ({
      priority,
      payload: { name },
    })),
  );

  const first = await claim(sql, 3);
  const rest = await claim(sql, 3);

  assertEquals(first.map(({ payload }) => payload.name), ["a", "b", "c"]);
  assertEquals(rest.map(({ payload }) => payload.name), ["d", "e"]);
});

test("claim_messages() gives a message to one worker only, and messages of its queue only", async (sql) => {
  await openQueue(sql);
  await openQueue(sql, {}, "others");
  await enqueue(sql);

  assertEquals((await claim(sql, 10, { queue: "others" })).length, 0);
  assertEquals((await claim(sql)).length, 1);
  assertEquals((await claim(sql)).length, 0);
});

test("claim_messages() gives what was scheduled once it is due", async (sql) => {
  await openQueue(sql);
  await enqueue(sql, { scheduled_at: new Date(Date.now() + 60_000) });
  await tend(sql);
  assertEquals(await claim(sql), []);

  await pass(sql, "61 seconds");
  await tend(sql);

  assertEquals((await claim(sql)).length, 1);
});

test("claim_messages() leases for the queue's time, or for the caller's", async (sql) => {
  await openQueue(sql, { lease_seconds: 600 });
  await enqueueAll(sql, [{}, {}]);

  const { lease_expires_at: long } = await claimOne(sql);
  const { lease_expires_at: short } = await claimOne(sql, { lease: 60 });

  assertEquals([long, short].map((at) => Math.round((at.getTime() - Date.now()) / 60_000)), [10, 1]);
});

test("claim_messages() refuses counts and leases out of range, and queues that nobody made", async (sql) => {
  await openQueue(sql);

  const codes = [
    await refusalOf(sql, (inner) => claim(inner, 0)),
    await refusalOf(sql, (inner) => claim(inner, 1_001)),
    await refusalOf(sql, (inner) => claim(inner, 1, { lease: 0 })),
    await refusalOf(sql, (inner) => claim(inner, 1, { queue: "nobody" })),
  ].map(([code]) => code);

  assertEquals(codes, ["invalid_argument", "invalid_argument", "invalid_argument", "queue_not_found"]);
});

Deno.test("eight workers at the same moment share a queue without sharing a message", async () => {
  const { sql, url } = await createTestDatabase();
  const workers = connect(url, { max: 8 });
  await openQueue(sql);
  await enqueueAll(sql, Array(400).fill({}));

  const claims = (await Promise.all(Array.from({ length: 60 }, () => claim(workers, 7)))).flat();

  assertEquals(claims.length, 400);
  assertEquals(new Set(claims.map(({ id }) => id)).size, 400);
  assertEquals(new Set(claims.map(({ lease_token }) => lease_token)).size, 400);
  await Promise.all([sql.end(), workers.end()]);
});

Deno.test("claim_messages() reads no more index entries because others are scheduled, leased, blocked or dead", async () => {
  const { sql } = await createTestDatabase();
  await openQueue(sql);
  await enqueueAll(sql, Array(400).fill({}));
  const before = await entriesRead(sql, () => claim(sql, 10));

  const later = new Date(Date.now() + 3_600_000);
  await enqueueAll(sql, Array(500).fill({ scheduled_at: later, priority: 0 }));
  await enqueueAll(sql, Array(500).fill({ ordering_key: "lane" }));
  await enqueueAll(sql, Array(500).fill({ priority: 1 }));
  await claim(sql, 500);
  // What was ready leaves its entries for vacuum.
  await sql`vacuum public.message_queue`;
  // Two more priorities to look for.
  const after = await entriesRead(sql, () => claim(sql, 10));

  assertNotEquals(before, 0);
  assertEquals(after <= before + 10, true, `${before} and ${after} entries`);
  await sql.end();
});

Deno.test("a snapshot held open makes a claim read a bounded number of finished entries", async () => {
  const { sql, url } = await createTestDatabase();
  const reader = connect(url);
  await openQueue(sql, { keep_history: "none" });
  await sql`set plan_cache_mode = force_generic_plan`;

  await reader.begin("isolation level repeatable read", async (snapshot) => {
    await snapshot`select count(*) from public.message_queue`;
    for (let round = 0; round < 12; round++) {
      await enqueueAll(sql, Array(500).fill({}));
      for (let batch = 0; batch < 5; batch++) await complete(sql, await claim(sql, 100));
    }
    await sql`vacuum public.message_queue`;
    await enqueueAll(sql, Array(10).fill({}));

    const read = await entriesRead(sql, () => claim(sql, 10));

    // 6,000 are finished and cannot be removed; the mark leaves room for a few hundred.
    assertEquals(read < 3_000, true, `${read} entries`);
  });
  await Promise.all([sql.end(), reader.end()]);
});

/** How many entries of the queue's indexes `work` reads, live or not. */
async function entriesRead(sql: ReturnType<typeof connect>, work: () => Promise<unknown>): Promise<number> {
  const count = async () => {
    await sql`select pg_stat_force_next_flush()`;
    const [row] = await sql<{ count: number }[]>`
      select sum(idx_tup_read)::int as count from pg_stat_user_indexes
      where relname in ('message_queue', 'message_queue_marks')`;
    return row!.count;
  };
  const before = await count();
  await work();
  return await count() - before;
}
