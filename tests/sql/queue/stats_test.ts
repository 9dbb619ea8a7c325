import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { ISql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import {
  cancel,
  claim,
  type Claimed,
  complete,
  enqueue,
  enqueueAll,
  fail,
  openQueue,
  pass,
  QUEUE,
  redrive,
  release,
  tend,
} from "./queues.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

const STATES = ["ready", "scheduled", "leased", "blocked", "dead"];

type Counts = Record<string, number>;

async function told(sql: ISql): Promise<Counts> {
  const [row] = await sql`select * from public.message_queue_stats where queue_name = ${QUEUE}`;
  return Object.fromEntries(STATES.map((state) => [state, Number(row![`${state}_count`])]));
}

async function counted(sql: ISql): Promise<Counts> {
  const rows = await sql`
    select state, count(*)::int as count from public.message_queue where queue_name = ${QUEUE} group by state`;
  const counts = new Map(rows.map(({ state, count }) => [state, count]));
  return Object.fromEntries(STATES.map((state) => [state, counts.get(state) ?? 0]));
}

test("message_queue_stats tells how many messages are in each state, and since when one is ready", async (sql) => {
  await openQueue(sql);
  const later = new Date(Date.now() + 60_000);
  await enqueueAll(sql, [{}, {}, { ordering_key: "a" }, { ordering_key: "a" }, { scheduled_at: later }]);
  const [first, second] = await claim(sql, 2);
  await fail(sql, [first!], { isPermanent: true });

  assertEquals(await told(sql), { ready: 1, scheduled: 1, leased: 1, blocked: 1, dead: 1 });
  await sql`update public.message_queue set due_at = now() - interval '2 hours' where state = 'ready'`;
  const [row] = await sql`
    select extract(epoch from oldest_ready_age)::int as age from public.message_queue_stats where queue_name = ${QUEUE}`;
  assertEquals(row!.age, 7_200);
  await complete(sql, [second!]);
});

test("message_queue_stats tells what was completed and what failed lately, before and after it is added up", async (sql) => {
  await openQueue(sql);
  await enqueueAll(sql, [{}, {}, {}]);
  const [a, b, c] = await claim(sql);
  const recent = async () => {
    const [row] = await sql`
      select completed_last_hour, failed_last_hour, completed_last_day, failed_last_day
      from public.message_queue_stats where queue_name = ${QUEUE}`;
    return Object.values(row!).map(Number);
  };

  await complete(sql, [a!, b!]);
  await fail(sql, [c!]);
  const before = await recent();
  await tend(sql);
  const after = await recent();
  await sql`update private.message_queue_activity set minute_at = minute_at - interval '2 hours'`;

  assertEquals([before, after, await recent()], [[2, 1, 2, 1], [2, 1, 2, 1], [0, 0, 2, 1]]);
});

test("an empty queue has a row of zeros", async (sql) => {
  await openQueue(sql);

  assertEquals(await told(sql), { ready: 0, scheduled: 0, leased: 0, blocked: 0, dead: 0 });
});

test("recount_messages() puts right what a repair by hand left wrong", async (sql) => {
  await openQueue(sql);
  await enqueueAll(sql, [{}, {}, {}]);
  await tend(sql);
  await sql`delete from public.message_queue where id = (select min(id) from public.message_queue)`;
  await enqueue(sql);

  await sql`select private.recount_messages()`;

  assertEquals(await told(sql), await counted(sql));
});

/** What may happen to a queue, told by numbers. */
const STEPS: Record<string, (sql: ISql, held: Claimed[], n: number) => Promise<unknown>> = {
  enqueue: (sql, _, n) =>
    enqueueAll(sql, [
      { ordering_key: `${n % 3}` },
      {},
      { idempotency_key: `${n % 5}` },
      { scheduled_at: new Date(Date.now() + (n % 2) * 60_000) },
    ]),
  claim: async (sql, held, n) => held.push(...await claim(sql, 1 + n % 5)),
  complete: (sql, held, n) => complete(sql, held.splice(0, 1 + n % 3)),
  fail: (sql, held, n) => fail(sql, held.splice(0, 1), { retryAfter: n % 2 * 30, isPermanent: n % 3 === 0 }),
  release: (sql, held) => release(sql, held.splice(0, 1)),
  expire: (sql) => pass(sql, "61 seconds").then(() => tend(sql)),
  tend: (sql) => tend(sql),
  redrive: (sql) => redrive(sql, { max_count: 2 }),
  purge: (sql) => sql`select public.purge_queue(${QUEUE}, '{dead,blocked}', 2)`,
  cancel: async (sql, _, n) => {
    const some = await sql`select id from public.message_queue offset ${n % 7} limit 1`;
    await cancel(sql, some.map(({ id }) => id));
  },
};

Deno.test("whatever happens, message_queue_stats tells what a count would", async () => {
  const step = fc.tuple(fc.constantFrom(...Object.keys(STEPS)), fc.nat(100));
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 20, maxLength: 40 }),
      fc.boolean(),
      (steps, isKept) =>
        rolledBack(database, async (sql) => {
          await openQueue(sql, { max_attempts: 3, keeps_lane_behind_dead: isKept });
          const held: Claimed[] = [];

          for (const [name, n] of steps) {
            await STEPS[name]!(sql, held, n);
            assertEquals(await told(sql), await counted(sql), name);
          }
        })(),
    ),
    { numRuns: 40 },
  );
});

Deno.test("counts stay true while many write, fold and count anew at the same time", async () => {
  const { sql, url } = await createTestDatabase();
  const workers = connect(url, { max: 6 });
  const tenders = connect(url, { max: 2 });
  await openQueue(sql, { keep_history: "none" });
  let isWorking = true;

  const working = Promise.all(Array.from({ length: 6 }, async (_, worker) => {
    for (let round = 0; round < 25; round++) {
      await enqueueAll(workers, [{}, { ordering_key: `${worker}` }, {
        scheduled_at: new Date(Date.now() + 3_600_000),
      }]);
      const claimed = await claim(workers, 3);
      await (round % 3 ? complete(workers, claimed) : fail(workers, claimed, { isPermanent: round % 2 === 0 }));
    }
  })).finally(() => isWorking = false);
  const tending = Promise.all([tend, (sql: ISql) => sql`select private.recount_messages()`].map(async (act) => {
    while (isWorking) await act(tenders);
  }));
  await Promise.all([working, tending]);

  assertEquals(await told(sql), await counted(sql));
  await tend(sql);
  assertEquals(await told(sql), await counted(sql));
  await Promise.all([sql, workers, tenders].map((sql) => sql.end()));
});
