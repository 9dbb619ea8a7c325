import { assertEquals, assertMatch } from "@std/assert";
import type { Sql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { addHandler, addType, type Lease, maintain, refusal, run } from "./jobs.ts";
import { until } from "../../support/until.ts";

interface Claimed extends Lease {
  job_type: string;
  payload: unknown;
}

const WORKERS = 4;
const KILLS = 100;
const BATCH = 20;
const AT_ONCE = { max_attempts: 100, shortest_backoff: "0", longest_backoff: "0" };
/** What a worker may meet: its session was killed, or its lease ran out while it was slow. */
const EXPECTED = /^(57P01|CONNECTION_\w+|E[A-Z]+|lease_lost|none)$/;

Deno.test("workers are killed at random a hundred times: no job is lost, and each has its effect once", async () => {
  const { sql, url } = await createTestDatabase();
  await sql`create table public.effects (payload jsonb not null)`;
  await addHandler(
    sql,
    "inside",
    "insert into public.effects values (payload); perform pg_sleep(random() * 0.01); return null;",
    AT_ONCE,
  );
  await addType(sql, "outside", AT_ONCE);
  let isOver = false;
  const workers = Array.from({ length: WORKERS }, () => work(url, () => isOver));

  for (let kills = 0; kills < KILLS;) {
    await keepBusy(sql);
    await maintain(sql);
    kills += await killOne(sql);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
  }
  await until(async () => {
    await maintain(sql);
    return await livingCount(sql) === 0;
  }, "no job is left");
  isOver = true;
  await Promise.all(workers);

  const wrong = await sql`
    select job.id, job.state, count(effect.payload)::int as effect_count
    from public.background_jobs as job left join public.effects as effect using (payload)
    group by job.id having job.state <> 'succeeded' or count(effect.payload) <> 1`;
  assertEquals([...wrong], []);
  await sql.end();
});

/** Works until it is over; a killed session is followed by another. */
async function work(url: string, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    // Otherwise postgres.js asks for types first, and nobody catches it when that is what was killed.
    const sql = connect(url, { connection: { application_name: "worker" }, fetch_types: false });
    while (!isOver()) {
      const outcome = await refusal(workOnce(sql));
      assertMatch(outcome, EXPECTED);
      if (outcome !== "none" && outcome !== "lease_lost") break;
    }
    await sql.end({ timeout: 0 }).catch(() => {});
  }
}

async function workOnce(sql: Sql): Promise<void> {
  for (const job of await sql<Claimed[]>`select * from public.claim_jobs('{inside,outside}', 3, 1)`) {
    if (job.job_type === "inside") await run(sql, job);
    else await workOutside(sql, job);
  }
}

/** A consumer that writes its effect with the completion. */
async function workOutside(sql: Sql, { id, lease_token, payload }: Claimed): Promise<void> {
  await sql`
    with effect as (insert into public.effects values (${sql.json(payload as never)}) returning true)
    select public.complete_job(${id}, ${lease_token}) from effect`;
}

async function livingCount(sql: Sql): Promise<number> {
  const [row] = await sql`
    select count(*)::int as count from public.background_jobs where state in ('scheduled', 'ready', 'running')`;
  return row!.count;
}

async function keepBusy(sql: Sql): Promise<void> {
  if (await livingCount(sql) > BATCH) return;
  await sql`
    select public.schedule_job(type, payload => to_jsonb(gen_random_uuid()))
    from unnest(array['inside', 'outside']) as type, generate_series(1, ${BATCH}::int)`;
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
