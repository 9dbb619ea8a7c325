import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { enqueue, enqueueAll, openQueue, pass, QUEUE, refusalOf, states, tend } from "./queues.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

/** Gives a queue a handler that notes what it was given, and then runs `body`. */
async function handle(sql: TransactionSql, body = "", queue = QUEUE): Promise<void> {
  await sql.unsafe(`
    create table if not exists public.effects (message_id bigint, attempt integer, correlation_id text);
    create or replace function private.handle_probe(message public.claimed_message) returns void language plpgsql as $$
    begin
      insert into public.effects values (message.id, message.attempt_count, private.correlation_id());
      ${body}
    end $$;
    select private.set_queue_handler('${queue}', 'private.handle_probe(public.claimed_message)')`).simple();
}

async function run(sql: TransactionSql, count = 100): Promise<unknown> {
  const [row] = await sql`select public.run_messages(${count}) as answer`;
  return row!.answer;
}

async function effects(sql: TransactionSql): Promise<string[]> {
  const rows = await sql`select message_id from public.effects order by message_id`;
  return rows.map(({ message_id }) => message_id);
}

test("run_messages() hands each ready message to its queue's handler, and none to a queue without", async (sql) => {
  await openQueue(sql);
  await openQueue(sql, {}, "others");
  await handle(sql);
  const ids = (await enqueueAll(sql, [{}, {}])).map(({ message_id }) => message_id);
  await enqueue(sql, {}, "others");

  assertEquals(await run(sql), { done: 2, failed: 0, more: true });
  assertEquals(await run(sql), { done: 0, failed: 0, more: false });
  assertEquals([await effects(sql), await states(sql, "others")], [ids, ["ready"]]);
});

test("one message that fails neither undoes nor repeats the others", async (sql) => {
  await openQueue(sql, { shortest_backoff: "10 seconds", longest_backoff: "10 seconds" });
  await handle(sql, "if message.payload ? 'bad' then raise exception 'no such trip' using errcode = 'P0002'; end if;");
  const ids = (await enqueueAll(sql, [{}, { payload: { bad: true } }, {}])).map(({ message_id }) => message_id);

  assertEquals(await run(sql), { done: 2, failed: 1, more: true });

  assertEquals(await effects(sql), [ids[0], ids[2]]);
  const [waiting] = await sql`select id, state, attempt_count, last_error from public.message_queue`;
  assertEquals({ ...waiting }, { id: ids[1], state: "scheduled", attempt_count: 1, last_error: "P0002 no such trip" });
});

test("a message whose handler always fails dies", async (sql) => {
  await openQueue(sql, { max_attempts: 2 });
  await handle(sql, "raise exception 'no';");
  await enqueue(sql);

  for (let attempt = 0; attempt < 2; attempt++) {
    await run(sql);
    await pass(sql, "1 hour");
    await tend(sql);
  }

  assertEquals([await states(sql), await effects(sql)], [["dead"], []]);
});

test("a handler carries on the correlation of its message, and not into the next", async (sql) => {
  await openQueue(sql);
  await handle(sql);
  await enqueueAll(sql, [{ correlation_id: "trip-1" }, {}, { correlation_id: "trip-3" }]);

  await run(sql);

  const rows = await sql`select correlation_id from public.effects order by message_id`;
  assertEquals(rows.map(({ correlation_id }) => correlation_id), ["trip-1", null, "trip-3"]);
});

test("run_messages() runs an ordering key in order, one call after the other", async (sql) => {
  await openQueue(sql);
  await handle(sql);
  const ids = (await enqueueAll(sql, Array(3).fill({ ordering_key: "trip-1" }))).map(({ message_id }) => message_id);
  const seen: string[][] = [];

  while ((await run(sql) as { more: boolean }).more) seen.push(await effects(sql));

  assertEquals(seen, [ids.slice(0, 1), ids.slice(0, 2), ids]);
});

test("a handler that is stopped by a timeout costs its message an attempt, and those behind it wait", async (sql) => {
  await openQueue(sql);
  await handle(sql, "raise exception using errcode = 'query_canceled';");
  await enqueueAll(sql, [{}, {}]);

  assertEquals(await run(sql), { done: 0, failed: 1, more: true });

  assertEquals(await states(sql), ["scheduled", "ready"]);
  const attempts = await sql`select attempt_count from public.message_queue order by id`;
  assertEquals(attempts.map(({ attempt_count }) => attempt_count), [1, 0]);
});

test("a handler that is gone fails its queue's messages, not the run", async (sql) => {
  await openQueue(sql);
  await handle(sql);
  await sql`drop function private.handle_probe`;
  await enqueue(sql);

  assertEquals(await run(sql), { done: 0, failed: 1, more: false });
});

test("run_messages() leaves paused queues alone, and runs no more than it is told", async (sql) => {
  await openQueue(sql);
  await handle(sql);
  await enqueueAll(sql, [{}, {}, {}]);

  assertEquals(await run(sql, 2), { done: 2, failed: 0, more: true });
  await openQueue(sql, { is_paused: true });
  assertEquals(await run(sql), { done: 0, failed: 0, more: false });
  assertEquals((await refusalOf(sql, (inner) => run(inner, 0)))[0], "invalid_argument");
});
