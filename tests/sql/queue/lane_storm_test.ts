import { assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { untilSomebodyWaits } from "../foundation/waiting.ts";
import {
  cancel,
  claim,
  type Claimed,
  complete,
  enqueueAll,
  fail,
  openQueue,
  QUEUE,
  redrive,
  release,
  states,
  tend,
} from "./queues.ts";
import { until } from "../../support/until.ts";

/** Runs `work` with a queue and a pool. */
async function withQueue(
  settings: Record<string, unknown>,
  work: (sql: Sql, pool: Sql) => Promise<void>,
): Promise<void> {
  const { sql, url } = await createTestDatabase();
  const pool = connect(url, { max: 8 });
  await openQueue(sql, { shortest_backoff: "0", longest_backoff: "0", ...settings });
  await work(sql, pool);
  await Promise.all([sql.end(), pool.end()]);
}

Deno.test("a thousand lanes flow in order while one of them is poisoned", () =>
  withQueue({ keep_history: "none", max_attempts: 2 }, async (sql, pool) => {
    const LANES = 1_000, EACH = 4;
    for (let n = 0; n < EACH; n++) {
      await enqueueAll(
        sql,
        Array.from({ length: LANES }, (_, lane) => ({ ordering_key: `${lane}`, payload: { lane, n } })),
      );
    }
    const seen: number[] = Array(LANES).fill(0);

    await together(4, async () => {
      for (let claimed = await claim(pool, 50); claimed.length > 0; claimed = await claim(pool, 50)) {
        const poisoned = claimed.filter(({ payload }) => payload.lane === 7);
        const others = claimed.filter(({ payload }) => payload.lane !== 7);
        for (const { payload } of others) assertEquals(payload.n, seen[payload.lane as number]!++);
        await fail(pool, poisoned);
        await complete(pool, others);
      }
    });

    assertEquals(seen.filter((count) => count !== EACH), [0]);
    assertEquals(await states(sql), ["dead", "blocked", "blocked", "blocked"]);
  }));

Deno.test("who completes a lane's last message and who enqueues its next never leave one behind", () =>
  withQueue({ keep_history: "none" }, async (sql, pool) => {
    const MESSAGES = 240, LANES = 3;
    let done = 0, enqueued = 0;

    await Promise.all([
      together(4, async () => {
        for (; enqueued < MESSAGES;) {
          enqueued++;
          await enqueueAll(pool, [{ ordering_key: `${enqueued % LANES}` }]);
        }
      }),
      together(4, async () => {
        while (done < MESSAGES) {
          const claimed = await claim(pool, 2);
          const completed = await complete(pool, claimed);
          done += completed.length;
          const isOver = claimed.length === 0 && enqueued >= MESSAGES;
          if (isOver && !(await states(sql)).some((state) => state === "ready" || state === "leased")) break;
        }
      }),
    ]);

    assertEquals([done, await states(sql)], [MESSAGES, []]);
  }));

Deno.test("what is enqueued while somebody waits to complete the head of its lane is ready at once", () =>
  withQueue({}, async (sql, pool) => {
    await enqueueAll(sql, [{ ordering_key: "trip-1" }]);
    const head = await claim(sql, 1);

    let completing: Promise<string[]> | undefined;
    await pool.begin(async (transaction) => {
      await transaction`select private.lock_lanes(${QUEUE}, '{trip-1}')`;
      completing = complete(sql, head);
      await untilSomebodyWaits(pool);
      await enqueueAll(transaction, [{ ordering_key: "trip-1" }]);
    });
    await completing;

    assertEquals(await states(sql), ["ready"]);
  }));

Deno.test("whatever workers do with their leases, one message of a lane is out at a time, and in order", () =>
  withQueue({ keeps_lane_behind_dead: false, max_attempts: 3, keep_history: "none" }, async (sql, pool) => {
    const LANES = 5, MESSAGES = 150;
    const out = new Map<string, string>();
    const done: Record<string, number[]> = {};
    const faults: string[] = [];
    let isWorking = true;

    function take({ id, ordering_key }: Claimed): void {
      if (out.has(ordering_key!)) faults.push(`${id} is out beside ${out.get(ordering_key!)}`);
      out.set(ordering_key!, id);
    }

    async function end(message: Claimed, n: number): Promise<void> {
      // Noted before it commits: afterwards the next of the lane may be out.
      out.delete(message.ordering_key!);
      if (n % 7 === 0) return void await release(pool, [message]);
      if (n % 5 === 0) return void await fail(pool, [message], { retryAfter: 0, isPermanent: n % 2 === 0 });
      (done[message.ordering_key!] ??= []).push(Number(message.id));
      assertEquals(await complete(pool, [message]), [message.id]);
    }

    const enqueuing = together(3, async (who) => {
      for (let n = who; n < MESSAGES; n += 3) {
        await enqueueAll(pool, [{ ordering_key: `${n % LANES}` }, { ordering_key: `${(n + 1) % LANES}` }]);
        if (n % 20 === 0) {
          const [row] =
            await sql`select array_agg(id) as ids from public.message_queue where state = 'blocked' and id % 40 = 0`;
          await cancel(pool, row!.ids ?? []);
        }
      }
    });
    let n = 0;
    const working = together(4, async () => {
      while (isWorking) {
        const claimed = await claim(pool, 3);
        claimed.forEach(take);
        for (const message of claimed) await end(message, ++n);
      }
    });
    await enqueuing;
    await until(async () => {
      await tend(sql);
      return (await states(sql)).every((state) => state === "dead");
    }, "every message has ended");
    isWorking = false;
    await working;

    assertEquals(faults, []);
    for (const ids of Object.values(done)) assertEquals(ids, ids.toSorted((a, b) => a - b));
    const dead = (await states(sql)).length;
    assertEquals((await redrive(sql, { max_count: 1_000 })).length, dead);
    assertEquals((await states(sql)).filter((state) => state === "ready").length <= LANES, true);
  }));

Deno.test("batches with the same thousand lanes in opposite orders do not deadlock with those who complete them", () =>
  withQueue({ keep_history: "none" }, async (sql, pool) => {
    const keys = Array.from({ length: 1_000 }, (_, n) => ({ ordering_key: `key-${n}` }));

    await Promise.all([
      ...[keys, keys.toReversed(), keys, keys.toReversed()].map((drafts) => enqueueAll(pool, drafts)),
      together(3, async () => {
        for (let n = 0; n < 8; n++) await complete(pool, (await claim(pool, 300)).toReversed());
      }),
    ]);

    const [row] = await sql`
      select count(distinct ordering_key)::int as lanes, count(*) filter (where state <> 'blocked')::int as heads
      from public.message_queue`;
    assertEquals(row!.heads, row!.lanes);
  }));

async function together(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}
