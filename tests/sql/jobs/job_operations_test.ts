import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack } from "../../support/database.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import { addType, claimOne, comeDue, complete, fail, type Job, jobOf, maintain, schedule, stateOf } from "./jobs.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) =>
  Deno.test(
    name,
    rolledBack(database, async (sql) => {
      await addType(sql, "letter", { max_attempts: 2 });
      await body(sql);
    }),
  );

const cancel = async (sql: TransactionSql, id: string) =>
  (await sql<Job[]>`select * from public.cancel_job(${id})`)[0]!.state;
const retry = async (sql: TransactionSql, id: string) =>
  (await sql<Job[]>`select * from public.retry_job(${id})`)[0]!.state;

/** A job in each state. */
async function oneOfEach(sql: TransactionSql): Promise<Record<Job["state"], string>> {
  const next = async () => (await schedule(sql, "letter")).job_id;
  const jobs: Partial<Record<Job["state"], string>> = {};
  jobs.succeeded = await next();
  await complete(sql, await claimOne(sql, "letter"));
  jobs.failed = await next();
  await fail(sql, await claimOne(sql, "letter"), { isFinal: true });
  jobs.cancelled = await next();
  await cancel(sql, jobs.cancelled);
  jobs.running = await next();
  await claimOne(sql, "letter");
  jobs.ready = await next();
  jobs.scheduled = (await schedule(sql, "letter", { scheduled_at: new Date(Date.now() + 60_000) })).job_id;
  return jobs as Record<Job["state"], string>;
}

async function outcomes(
  sql: TransactionSql,
  act: (sql: TransactionSql, id: string) => Promise<string>,
): Promise<Record<string, string>> {
  const jobs = await oneOfEach(sql);
  const found: Record<string, string> = {};
  for (const [state, id] of Object.entries(jobs)) {
    found[state] = await sql.savepoint((sql) => act(sql, id)).catch((error) => JSON.parse(error.message).code);
  }
  return found;
}

test("cancel_job() ends what has not ended", async (sql) => {
  assertEquals(await outcomes(sql, cancel), {
    scheduled: "cancelled",
    ready: "cancelled",
    running: "cancelled",
    cancelled: "cancelled",
    succeeded: "job_state_conflict",
    failed: "job_state_conflict",
  });
});

test("retry_job() has whatever did not succeed run now", async (sql) => {
  assertEquals(await outcomes(sql, retry), {
    scheduled: "ready",
    ready: "ready",
    failed: "ready",
    cancelled: "ready",
    running: "job_state_conflict",
    succeeded: "job_state_conflict",
  });
});

test("a retried job has all its attempts before it", async (sql) => {
  const { job_id } = await schedule(sql, "letter");
  for (let attempts = 0; attempts < 2; attempts++) {
    await fail(sql, await claimOne(sql, "letter"));
    await comeDue(sql);
    await maintain(sql);
  }
  assertEquals(await stateOf(sql, job_id), "failed");

  await retry(sql, job_id);
  await fail(sql, await claimOne(sql, "letter"));

  const { state, attempt_count } = await jobOf(sql, job_id);
  assertEquals([state, attempt_count], ["scheduled", 1]);
});

test("a job is not retried beside the one that has its unique key now", async (sql) => {
  const first = await schedule(sql, "letter", { unique_key: "k" });
  await cancel(sql, first.job_id);
  await schedule(sql, "letter", { unique_key: "k" });

  const refusal = await refusalOf(sql, (sql) => retry(sql, first.job_id));

  assertEquals(refusal, ["job_state_conflict", { unique_key: "k" }]);
});

test("list_jobs() shows the jobs of a state: what ended last, or is due first", async (sql) => {
  const jobs = await oneOfEach(sql);
  await addType(sql, "report");
  const early = await schedule(sql, "report", { scheduled_at: new Date(Date.now() + 30_000) });
  const list = async (...args: [state: string, type?: string, before?: Date]) => {
    const [state, type = null, before = null] = args;
    const rows = await sql`select id from public.list_jobs(${state}, ${type}, ${before})`;
    return rows.map(({ id }) => id);
  };

  for (const state of ["ready", "running", "succeeded", "failed", "cancelled"] as const) {
    assertEquals(await list(state), [jobs[state]], state);
  }
  assertEquals(await list("scheduled"), [early.job_id, jobs.scheduled]);
  assertEquals(await list("scheduled", "letter"), [jobs.scheduled]);
  assertEquals(await list("scheduled", undefined, new Date(Date.now() + 45_000)), [early.job_id]);
  assertEquals(await list("failed", undefined, new Date(0)), []);
});

test("an unknown job is told so", async (sql) => {
  const id = crypto.randomUUID();
  for (const act of [cancel, retry, (sql: TransactionSql) => sql`select public.get_job(${id})`]) {
    assertEquals((await refusalOf(sql, async (sql) => void await act(sql, id)))[0], "job_not_found");
  }
});

test("the service and registered operators may look after jobs, and nobody else", async (sql) => {
  const { job_id } = await schedule(sql, "letter");
  const user = crypto.randomUUID();
  await sql`insert into auth.users (id) values (${user})`;
  const operator = { sub: user, app_metadata: { role: "operator" } };
  const acts = [
    (sql: TransactionSql) => sql`select public.get_job(${job_id})`,
    (sql: TransactionSql) => sql`select public.list_jobs('ready')`,
    (sql: TransactionSql) => sql`select public.cancel_job(${job_id})`,
    (sql: TransactionSql) => sql`select public.retry_job(${job_id})`,
  ];

  for (const act of acts) {
    for (const claims of [{ sub: user }, operator]) {
      const [code] = await refusalOf(sql, (sql) => as(sql, "authenticated", claims, act));
      assertEquals(code, "operator_required");
    }
    await as(sql, "service_role", {}, act);
  }
  await sql`insert into private.operators (user_id, reason) values (${user}, 'a test')`;
  for (const act of acts) await as(sql, "authenticated", operator, act);
  assertEquals(await stateOf(sql, job_id), "ready");
});
