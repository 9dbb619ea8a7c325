import { assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { claim, claimOne, complete, enqueue, enqueueAll, openQueue, QUEUE, tend } from "./queues.ts";
import { until } from "../../support/until.ts";

/** More than a mark leaves room for, in one call. */
const MANY = 1_000;

/** Enqueues and completes so much that the mark rises past what was there before. */
async function flow(sql: Sql, rounds = 4): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await enqueueAll(sql, Array(MANY).fill({ payload: { flow: true } }));
    for (let claimed = await claim(sql, 100); claimed.length > 0; claimed = await claim(sql, 100)) {
      await complete(sql, claimed.filter(({ payload }) => payload.flow));
      if (claimed.length < 100) break;
    }
  }
}

async function highestMark(sql: Sql): Promise<number> {
  const [row] = await sql`
    select coalesce(max(position), 0)::int as mark from private.message_queue_marks where queue_name = ${QUEUE}`;
  return row!.mark;
}

/** Runs `work` with a queue and two connections. */
async function withQueue(work: (sql: Sql, slow: Sql) => Promise<void>): Promise<void> {
  const { sql, url } = await createTestDatabase();
  const slow = connect(url);
  await openQueue(sql, { keep_history: "none" });
  await work(sql, slow);
  await Promise.all([sql.end(), slow.end()]);
}

Deno.test("a message whose transaction outlasted thousands of others is found", () =>
  withQueue(async (sql, slow) => {
    let late = "";
    await slow.begin(async (transaction) => {
      late = (await enqueue(transaction)).message_id;
      await flow(sql);
      await tend(sql);
      await tend(sql);
    });
    assertEquals(await highestMark(sql) > Number(late), true);

    await tend(sql);

    assertEquals((await claim(sql, 10)).map(({ id }) => id), [late]);
  }));

Deno.test("messages of a claim that was rolled back after thousands of others are found", () =>
  withQueue(async (sql, slow) => {
    await enqueueAll(sql, [{}, {}, {}]);
    await slow.begin(async (transaction) => {
      assertEquals((await claim(transaction, 3)).length, 3);
      await flow(sql);
      await tend(sql);
      throw "undone";
    }).catch((thrown) => assertEquals(thrown, "undone"));

    await tend(sql);

    assertEquals((await claim(sql, 10)).length, 3);
  }));

Deno.test("a message that is given back after thousands of others is ready at once", () =>
  withQueue(async (sql) => {
    await enqueue(sql);
    const { id, lease_token } = await claimOne(sql);
    await flow(sql);

    await sql`select public.release_messages(${[id]}::bigint[], ${[lease_token]}::bigint[])`;

    assertEquals((await claimOne(sql)).id, id);
  }));

Deno.test("a message given back under an old snapshot is ready, too", () =>
  withQueue(async (sql, slow) => {
    await enqueue(sql);
    const { id, lease_token } = await claimOne(sql);
    await slow.begin("isolation level repeatable read", async (transaction) => {
      await transaction`select count(*) from public.message_queue`;
      await flow(sql);
      for (let n = 0; n < 3; n++) await tend(sql);
      await transaction`select public.release_messages(${[id]}::bigint[], ${[lease_token]}::bigint[])`;
    });

    assertEquals((await claimOne(sql)).id, id);
  }));

Deno.test("while somebody writes for long, what comes late is found however often the queue is tended", () =>
  withQueue(async (sql, slow) => {
    await slow.begin(async (transaction) => {
      await transaction`select pg_current_xact_id()`;
      for (let n = 0; n < 3; n++) {
        await flow(sql, 2);
        await tend(sql);
      }
      // Its id is new; its place is not below any mark.
      await enqueue(transaction, { payload: { late: true } });
      await flow(sql, 2);
      await tend(sql);
    });

    await tend(sql);

    assertEquals((await claim(sql, 10)).map(({ payload }) => payload), [{ late: true }]);
  }));

Deno.test("nobody waits for the first to use a priority, and what it leaves out is found", () =>
  withQueue(async (sql, slow) => {
    await slow.begin(async (transaction) => {
      await enqueue(transaction, { priority: 1 });
      await enqueueAll(sql, [{ priority: 2, payload: { name: "b" } }, { priority: 1, payload: { name: "a" } }]);
      throw "undone";
    }).catch((thrown) => assertEquals(thrown, "undone"));

    await tend(sql);

    assertEquals((await claim(sql)).map(({ payload }) => payload.name), ["a", "b"]);
  }));

Deno.test("marks that are no longer used are forgotten", () =>
  withQueue(async (sql) => {
    await flow(sql);
    for (let n = 0; n < 3; n++) await tend(sql);

    const [row] = await sql`select count(*)::int as count from private.message_queue_marks`;
    assertEquals(row!.count, 1);
  }));

Deno.test("what was left below a floor by hand is found within the hour", () =>
  withQueue(async (sql) => {
    await enqueue(sql);
    await claimOne(sql);
    await sql`insert into private.message_queue_floors values ('leased', extract(epoch from now()) - 60, 0, '3')`;
    await sql`update public.message_queue set due_at = now() - interval '1 day'`;
    await tend(sql);
    assertEquals(await claim(sql), []);

    await sql`select private.run_scheduled_job('lower-message-queue-floors')`;
    await tend(sql);

    assertEquals((await claim(sql)).length, 1);
  }));

Deno.test("floors follow the marks, and begin anew in a cluster whose transaction ids are lower", () =>
  withQueue(async (sql) => {
    await flow(sql);
    const floor = async () => {
      const [row] = await sql`select floor_value::int as value from private.floor_of(${`ready ${QUEUE} 5`})`;
      return row!.value;
    };
    // It rises when every older transaction has ended, those of other tests included.
    await until(async () => {
      await tend(sql);
      return await floor() > 0;
    }, "the floor rises");

    await sql`update private.message_queue_floors set next_transaction_id = '999999999999'`;

    assertEquals(await floor(), 0);
  }));

Deno.test("a claim whose transaction goes on keeps no other claim waiting, though both would raise the mark", () =>
  withQueue(async (sql, slow) => {
    await enqueueAll(sql, Array(MANY).fill({}));
    await enqueueAll(sql, Array(MANY).fill({}));
    await sql`update public.message_queue set position = position + 10000`;
    await sql`set lock_timeout = '2s'`;

    const [held, others] = await slow.begin(async (transaction) => [
      await claim(transaction, 10),
      await claim(sql, 10),
    ]);

    assertEquals([held!.length, others!.length], [10, 10]);
    assertEquals(new Set([...held!, ...others!].map(({ id }) => id)).size, 20);
  }));
