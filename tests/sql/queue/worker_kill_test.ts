import { assertEquals, assertMatch } from "@std/assert";
import postgres, { type Sql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { enqueueAll, openQueue, pass, QUEUE, states, tend } from "./queues.ts";
import { until } from "../../support/until.ts";

const WORKERS = 4;
const KILLS = 100;
/** How a worker learns that it was killed. */
const KILLED = /^(57P01|CONNECTION_\w+|E[A-Z]+)$/;

Deno.test("workers are killed at random a hundred times: no message is lost, and each has its effect once", async () => {
  const { sql, url } = await createTestDatabase();
  await sql`create table public.effects (message_id bigint not null)`;
  await openQueue(sql, { max_attempts: 1_000 });
  const enqueued: string[] = [];
  let isOver = false;
  const workers = Array.from({ length: WORKERS }, () => work(url, () => isOver));

  for (let kills = 0; kills < KILLS;) {
    if ((await states(sql)).length < 30) enqueued.push(...await enqueueSome(sql));
    kills += await killOne(sql);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
    // Leases of the dead run out, and those of the living, too: two may have the same message then.
    await runOut(sql);
  }
  await until(async () => {
    await runOut(sql);
    return (await states(sql)).length === 0;
  }, "no message is left");
  isOver = true;
  await Promise.all(workers);

  const effects = await sql`select message_id from public.effects order by message_id`;
  assertEquals(effects.map(({ message_id }) => message_id), enqueued);
  const history = await sql`select message_id from public.message_queue_history order by message_id`;
  assertEquals(history.map(({ message_id }) => message_id), enqueued);
  await sql.end();
});

/** Works until it is over; a killed session is followed by another. */
async function work(url: string, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    // Otherwise postgres.js asks for types first, and nobody catches it when that is what was killed.
    const sql = connect(url, { connection: { application_name: "worker" }, fetch_types: false });
    try {
      while (!isOver()) await workOnce(sql);
    } catch (error) {
      assertMatch((error as postgres.PostgresError).code, KILLED);
    }
    await sql.end({ timeout: 0 }).catch(() => {});
  }
}

/** Claims in one transaction; writes effect and completion together in another. */
async function workOnce(sql: Sql): Promise<void> {
  for (const { id, lease_token } of await sql`select id, lease_token from public.claim_messages(${QUEUE}, 3)`) {
    await sql`
      insert into public.effects
      select done.id
      from (select pg_sleep(random() * 0.01)) as work
      cross join lateral unnest(public.complete_messages(array[${id}::bigint], array[${lease_token}::bigint])) as done (id)`;
  }
}

async function enqueueSome(sql: Sql): Promise<string[]> {
  const drafts = Array.from({ length: 40 }, (_, n) => n % 4 === 0 ? { ordering_key: `${n % 3}` } : {});
  return (await enqueueAll(sql, drafts)).map(({ message_id }) => message_id);
}

async function runOut(sql: Sql): Promise<void> {
  await pass(sql, "61 seconds");
  await tend(sql);
}

/** Kills some worker's session; says whether there was one. */
async function killOne(sql: Sql): Promise<number> {
  const killed = await sql`
    select pg_terminate_backend(pid) from (
      select pid from pg_stat_activity where datname = current_database() and application_name = 'worker'
      order by random() limit 1
    ) as victim`;
  return killed.length;
}
