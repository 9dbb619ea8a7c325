import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import {
  cancel,
  claim,
  claimOne,
  complete,
  enqueue,
  enqueueAll,
  fail,
  finished,
  openQueue,
  pass,
  QUEUE,
  redrive,
  refusalOf,
  states,
  tend,
} from "./queues.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

const secondsUntil = (at: Date) => (at.getTime() - Date.now()) / 1_000;

test("fail_messages() lets a message wait longer after each attempt, up to the longest backoff", async (sql) => {
  await openQueue(sql, { shortest_backoff: "100 seconds", longest_backoff: "350 seconds" });
  await enqueue(sql);

  for (const most of [100, 200, 350, 350]) {
    const [failed] = await fail(sql, await claim(sql), { error: "503" });

    const seconds = secondsUntil(failed!.due_at);
    assertEquals([failed!.state, seconds > most / 2 - 10, seconds <= most], ["scheduled", true, true]);
    await pass(sql, "1 hour");
    await tend(sql);
  }
});

test("fail_messages() waits as long as a provider says, be it longer or shorter than the backoff", async (sql) => {
  await openQueue(sql, { shortest_backoff: "100 seconds", longest_backoff: "100 seconds" });
  await enqueueAll(sql, [{}, {}]);

  const [shorter] = await fail(sql, await claim(sql, 1), { retryAfter: 0 });
  const [longer] = await fail(sql, await claim(sql, 1), { retryAfter: 3_600 });

  assertEquals([shorter!.state, Math.round(secondsUntil(longer!.due_at) / 60)], ["ready", 60]);
});

test("fail_messages() takes an error, a delay and a verdict for each message", async (sql) => {
  await openQueue(sql);
  await enqueueAll(sql, [{}, {}, {}]);
  const [a, b, c] = await claim(sql);

  const failed = await sql`
    select state from public.fail_messages(
      array[${c!.id}, ${a!.id}, ${b!.id}]::bigint[],
      array[${c!.lease_token}, ${a!.lease_token}, ${b!.lease_token}]::bigint[],
      '{"third", "first", null}', '{null, 0, 60}', '{true, false, null}'
    ) order by message_id`;

  assertEquals(failed.map(({ state }) => state), ["ready", "scheduled", "dead"]);
  const errors = await sql`select last_error from public.message_queue order by id`;
  assertEquals(errors.map(({ last_error }) => last_error), ["first", null, "third"]);
});

test("fail_messages() refuses delays out of range", async (sql) => {
  const [code] = await refusalOf(
    sql,
    (inner) => inner`select public.fail_messages('{1}', '{1}', retry_after_seconds => '{-1}')`,
  );

  assertEquals(code, "invalid_argument");
});

test("a message is dead after its last attempt, and keeps what went wrong", async (sql) => {
  await openQueue(sql, { max_attempts: 2, shortest_backoff: "0", longest_backoff: "0" });
  await enqueue(sql, { payload: { trip: 1 } });

  const [first] = await fail(sql, await claim(sql), { error: "timeout" });
  const [last] = await fail(sql, await claim(sql), { error: "x".repeat(5_000) });

  assertEquals([first!.state, last!.state], ["ready", "dead"]);
  assertEquals(await claim(sql), []);
  const [dead] = await sql`select payload, length(last_error) as length from public.message_queue`;
  assertEquals({ ...dead }, { payload: { trip: 1 }, length: 2_000 });
});

test("redrive_messages() gives dead messages all their attempts again", async (sql) => {
  await openQueue(sql, { max_attempts: 1 });
  const { message_id } = await enqueue(sql);
  await fail(sql, await claim(sql));

  assertEquals(await redrive(sql), [message_id]);

  const message = await claimOne(sql);
  assertEquals([message.id, message.attempt_count], [message_id, 1]);
});

test("redrive_messages() takes those that are named, of a type, or so many that died first", async (sql) => {
  await openQueue(sql, { max_attempts: 1 });
  const [a, b, c, d] = (await enqueueAll(sql, [{}, { message_type: "refund" }, {}, {}])).map((m) => m.message_id);
  await fail(sql, await claim(sql));

  assertEquals(await redrive(sql, { message_type: "refund" }), [b]);
  assertEquals(await redrive(sql, { message_ids: [c!] }), [c]);
  assertEquals(await redrive(sql, { max_count: 1 }), [a]);
  assertEquals(await redrive(sql, { message_ids: [a!, b!] }), []);
  assertEquals(await redrive(sql), [d]);
});

test("purge_queue() takes messages of these states out, but none that is leased", async (sql) => {
  await openQueue(sql);
  await enqueueAll(sql, [{}, {}, {}, { scheduled_at: new Date(Date.now() + 60_000) }]);
  await fail(sql, await claim(sql, 1), { isPermanent: true });
  await claim(sql, 1);

  const purge = (states: string) => sql`select public.purge_queue(${QUEUE}, ${states}) as count`;

  assertEquals((await purge("{dead,scheduled}"))[0]!.count, 2);
  assertEquals(await states(sql), ["leased", "ready"]);
  assertEquals((await sql`select public.purge_queue(${QUEUE}) as count`)[0]!.count, 1);
  assertEquals(await states(sql), ["leased"]);
  assertEquals((await finished(sql)).map(({ outcome }) => outcome).sort(), ["cancelled", "cancelled", "dead"]);
});

test("purge_queue() takes no more than it is told, and refuses what is leased", async (sql) => {
  await openQueue(sql);
  await enqueueAll(sql, [{}, {}, {}]);

  assertEquals((await sql`select public.purge_queue(${QUEUE}, max_count => 2) as count`)[0]!.count, 2);
  const [code] = await refusalOf(sql, (inner) => inner`select public.purge_queue(${QUEUE}, '{leased}')`);

  assertEquals(code, "invalid_argument");
});

test("cancel_messages() takes out what nobody has leased, and keeps its payload in the history", async (sql) => {
  await openQueue(sql);
  const [a, b] = (await enqueueAll(sql, [{}, { payload: { trip: 2 } }])).map((m) => m.message_id);
  const [leased] = await claim(sql, 1);

  assertEquals(await cancel(sql, [a!, b!]), [b]);
  assertEquals((await finished(sql)).map(({ outcome, payload }) => [outcome, payload]), [["cancelled", { trip: 2 }]]);
  assertEquals(await complete(sql, [leased!]), [a]);
});

test("what has been dead for longer than its queue keeps it goes into the history", async (sql) => {
  await openQueue(sql, { max_attempts: 1, dead_retention: "7 days" });
  await enqueueAll(sql, [{}, {}]);
  await fail(sql, await claim(sql), { error: "no such number" });
  await sql`update public.message_queue set due_at = now() - interval '8 days' where id = (select min(id) from public.message_queue)`;

  await sql`select private.purge_message_queue()`;

  assertEquals(await states(sql), ["dead"]);
  assertEquals((await finished(sql)).map(({ outcome, last_error }) => [outcome, last_error]), [[
    "dead",
    "no such number",
  ]]);
});

Deno.test("retry_delay() doubles, is never more than the longest, and never less than half", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 2_000 }),
      fc.integer({ min: 1, max: 60 }),
      async (attempts, shortest) => {
        const longest = shortest * 100;
        const [row] = await database.sql`
        select extract(epoch from private.retry_delay(${attempts}, make_interval(secs => ${shortest}), make_interval(secs => ${longest})))::float as seconds`;

        const full = Math.min(longest, shortest * 2 ** Math.min(attempts - 1, 30));
        assertEquals([row!.seconds >= full / 2 - 1e-6, row!.seconds <= full + 1e-6], [true, true]);
      },
    ),
    { numRuns: 50 },
  );
});
