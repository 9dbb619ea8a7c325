import { assertEquals } from "@std/assert";
import type { Sql, TransactionSql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { calls, tellVault } from "./wakeups.ts";

const database = await createTestDatabase();
const SLOTS = 4;

async function begin(sql: Sql | TransactionSql, seconds = 15): Promise<string | null> {
  const [row] = await sql`select public.begin_worker_run(${seconds}) as run_id`;
  return row!.run_id;
}

async function extend(sql: TransactionSql, runId: string, seconds = 15): Promise<boolean> {
  const [row] = await sql`select public.extend_worker_run(${runId}, ${seconds}) as is_held`;
  return row!.is_held;
}

async function end(sql: TransactionSql, runId: string, { hasMore = false, done = 0 } = {}): Promise<void> {
  await sql`select public.end_worker_run(${runId}, ${sql.json({ done })}, ${hasMore})`;
}

/** Begins until the first slot is the only free one, then lets it expire: all others are held. */
async function takeAll(sql: TransactionSql): Promise<string[]> {
  const runs: string[] = [];
  for (let slot = 0; slot < SLOTS; slot++) runs.push((await begin(sql))!);
  return runs;
}

/** Lets the time of a run's lease pass. */
async function expire(sql: TransactionSql, runId: string): Promise<void> {
  await sql`update private.worker_runs set expires_at = now() - interval '1 second' where run_id = ${runId}`;
}

Deno.test("begin_worker_run() lets in as many as there are slots, of fifty at the same moment", async () => {
  const crowd = connect(database.url, { max: 8 });

  const runs = await Promise.all(Array.from({ length: 50 }, () => begin(crowd)));

  const held = runs.filter((run) => run !== null);
  assertEquals([held.length, new Set(held).size], [SLOTS, SLOTS]);
  await crowd`update private.worker_runs set run_id = null, expires_at = '-infinity'`;
  await crowd.end();
});

Deno.test("begin_worker_run() waits for nobody who is about to take a slot", async () => {
  const [one, other] = [connect(database.url), connect(database.url)];
  await one.begin(async (one) => {
    await begin(one);

    await other`set lock_timeout = '1s'`;
    for (let slot = 1; slot < SLOTS; slot++) await begin(other);
    assertEquals(await begin(other), null);
  });

  await one`update private.worker_runs set run_id = null, expires_at = '-infinity'`;
  await Promise.all([one.end(), other.end()]);
});

Deno.test(
  "a slot whose run was killed is taken again once its lease is over, and counted",
  rolledBack(database, async (sql) => {
    const [killed] = await takeAll(sql);
    await expire(sql, killed!);

    const next = await begin(sql);

    assertEquals(next === null || next === killed, false);
    assertEquals(await begin(sql), null);
    const health = await sql`select abandoned_count::int from public.worker_health order by slot`;
    assertEquals(health.map((slot) => slot.abandoned_count), [1, 0, 0, 0]);
  }),
);

Deno.test(
  "extend_worker_run() holds a slot past its first lease",
  rolledBack(database, async (sql) => {
    const [run] = await takeAll(sql);
    await expire(sql, run!);

    assertEquals(await extend(sql, run!), true);

    assertEquals(await begin(sql), null);
  }),
);

Deno.test(
  "a run that lost its slot learns so, and disturbs nobody who has it now",
  rolledBack(database, async (sql) => {
    const [lost] = await takeAll(sql);
    await expire(sql, lost!);
    await begin(sql);

    assertEquals(await extend(sql, lost!), false);
    await end(sql, lost!);

    assertEquals(await begin(sql), null);
  }),
);

Deno.test(
  "end_worker_run() gives the slot back and keeps what was done",
  rolledBack(database, async (sql) => {
    const [run] = await takeAll(sql);

    await end(sql, run!, { done: 7 });

    const [first] = await sql`
      select is_running, last_report, ended_at is not null as has_ended, abandoned_count::int
      from public.worker_health order by slot limit 1`;
    assertEquals({ ...first }, { is_running: false, last_report: { done: 7 }, has_ended: true, abandoned_count: 0 });
    assertEquals(await begin(sql) === null, false);
  }),
);

Deno.test(
  "end_worker_run() wakes the worker anew only when there is more to do",
  rolledBack(database, async (sql) => {
    await tellVault(sql);
    const [one, other] = await takeAll(sql);

    await end(sql, one!);
    assertEquals(await calls(sql), []);
    await end(sql, other!, { hasMore: true });

    assertEquals((await calls(sql)).length, 1);
  }),
);

Deno.test(
  "a lease lasts from 1 to 300 seconds",
  rolledBack(database, async (sql) => {
    for (const seconds of [0, -1, 301, null]) {
      const works = [
        (sql: TransactionSql) => sql`select public.begin_worker_run(${seconds})`,
        (sql: TransactionSql) => sql`select public.extend_worker_run(private.uuid_v7(), ${seconds})`,
      ];
      for (const work of works) assertEquals(await sqlStateOf(sql, work), "PGRST");
    }
    assertEquals(await begin(sql, 300) === null, false);
  }),
);

Deno.test(
  "the worker's slots are the service's alone",
  rolledBack(database, async (sql) => {
    for (const role of ["anon", "authenticated"] as const) {
      for (
        const call of [
          "begin_worker_run()",
          "extend_worker_run(null)",
          "end_worker_run(null, null, null)",
          "worker_health",
        ]
      ) {
        const work = (sql: TransactionSql) => as(sql, role, {}, (sql) => sql.unsafe(`select * from public.${call}`));
        assertEquals([role, call, await sqlStateOf(sql, work)], [role, call, "42501"]);
      }
    }
    assertEquals(typeof await as(sql, "service_role", {}, begin), "string");
  }),
);
