import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { untilSomebodyWaits } from "../foundation/waiting.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import {
  addHandler,
  addType,
  claim,
  claimOne,
  endLease,
  jobOf,
  maintain,
  refusal,
  run,
  schedule,
  stateOf,
} from "./jobs.ts";

const EFFECT = "insert into public.effects values (payload ->> 'name');";
const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) =>
  Deno.test(
    name,
    rolledBack(database, async (sql) => {
      await sql`create table public.effects (name text)`;
      await body(sql);
    }),
  );

test("run_job() runs the SQL function and keeps its effect and its result", async (sql) => {
  await addHandler(sql, "greet", `${EFFECT} return jsonb_build_object('greeted', payload ->> 'name');`);
  const { job_id } = await schedule(sql, "greet", { payload: { name: "Aline" } });

  assertEquals(await run(sql, await claimOne(sql, "greet")), "succeeded");

  assertEquals([...await sql`select name from public.effects`], [{ name: "Aline" }]);
  const { state, result, lease_until } = await jobOf(sql, job_id);
  assertEquals({ state, result, lease_until }, { state: "succeeded", result: { greeted: "Aline" }, lease_until: null });
});

test("a job's correlation id goes on in what it does", async (sql) => {
  await addHandler(sql, "greet", "return to_jsonb(private.correlation_id());");
  const { job_id } = await schedule(sql, "greet");

  await run(sql, await claimOne(sql, "greet"));

  const { result, correlation_id } = await jobOf(sql, job_id);
  assertEquals(result, correlation_id);
});

for (
  const [what, body, error] of [
    ["raises", `${EFFECT} raise 'no paper';`, "P0001 no paper"],
    ["asserts", `${EFFECT} assert false, 'no paper';`, "P0004 no paper"],
    ["divides by zero", `${EFFECT} return to_jsonb(1 / 0);`, "22012 division by zero"],
    ["gives too much", `${EFFECT} return to_jsonb(repeat('x', 262145));`, "23514 "],
    [
      "refuses",
      `${EFFECT} perform private.refuse('invalid_argument'); return null;`,
      'PGRST {"code": "invalid_argument"',
    ],
    [
      "is cancelled",
      `${EFFECT} perform pg_cancel_backend(pg_backend_pid()); perform pg_sleep(60); return null;`,
      "57014 ",
    ],
  ] as const
) {
  test(`a function that ${what} has failed, and leaves no effect`, async (sql) => {
    await addHandler(sql, "greet", body);
    const { job_id } = await schedule(sql, "greet");

    assertEquals(await run(sql, await claimOne(sql, "greet")), "scheduled");

    const { state, attempt_count, last_error } = await jobOf(sql, job_id);
    assertEquals([state, attempt_count, last_error?.startsWith(error)], ["scheduled", 1, true], last_error!);
    assertEquals((await sql`select from public.effects`).length, 0);
  });
}

test("a constraint that is checked at the end fails the job that broke it", async (sql) => {
  await sql`create table public.pairs (name text primary key, other text references public.pairs deferrable initially deferred)`;
  await addHandler(sql, "pair", "insert into public.pairs values ('a', 'nobody'); return null;");
  const { job_id } = await schedule(sql, "pair");

  assertEquals(await run(sql, await claimOne(sql, "pair")), "scheduled");

  assertMatch((await jobOf(sql, job_id)).last_error!, /^23503 /);
});

test("a function that gives the job up fails it for good", async (sql) => {
  await addHandler(sql, "greet", `${EFFECT} perform private.give_job_up('nobody lives there'); return null;`);
  const { job_id } = await schedule(sql, "greet");

  assertEquals(await run(sql, await claimOne(sql, "greet")), "failed");

  assertEquals((await jobOf(sql, job_id)).last_error, "JOB00 nobody lives there");
  assertEquals((await sql`select from public.effects`).length, 0);
});

test("a function that takes the call's own time has failed too", async (sql) => {
  await addHandler(sql, "sleep", "perform pg_sleep(60); return null;");
  await schedule(sql, "sleep");
  const lease = await claimOne(sql, "sleep");
  await sql`set local statement_timeout = '100ms'`;

  assertEquals(await run(sql, lease), "scheduled");
});

test("run_job() refuses whoever has no lease, or has a job of a worker outside", async (sql) => {
  await addHandler(sql, "greet", `${EFFECT} return null;`);
  await addType(sql, "outside");
  await schedule(sql, "greet");
  await schedule(sql, "outside");
  const [lease, outside] = [await claimOne(sql, "greet"), await claimOne(sql, "outside")];
  await endLease(sql, lease.id);
  await maintain(sql);

  const codeOf = async (lease: { id: string; lease_token: string }) =>
    (await refusalOf(sql, (sql) => run(sql, lease).then(() => {})))[0];

  assertEquals(await codeOf(lease), "lease_lost");
  assertEquals(await codeOf({ ...lease, lease_token: "99" }), "lease_lost");
  assertEquals(await codeOf({ id: crypto.randomUUID(), lease_token: "1" }), "job_not_found");
  assertEquals(await codeOf(outside), "invalid_argument");
  assertEquals((await sql`select from public.effects`).length, 0);
});

Deno.test("a lease that is lost while the function runs leaves nothing of it", async () => {
  const { sql, url } = await createTestDatabase();
  const worker = connect(url);
  await sql`create table public.effects (name text)`;
  await addHandler(sql, "greet", `${EFFECT} perform pg_advisory_xact_lock(250788); return null;`);
  const { job_id } = await schedule(sql, "greet", { payload: { name: "Aline" } });
  const lease = await claimOne(sql, "greet");
  await sql`select pg_advisory_lock(250788)`;

  const running = refusal(run(worker, lease));
  await untilSomebodyWaits(sql);
  await sql`update public.background_jobs set lease_token = lease_token + 1 where id = ${job_id}`;
  await sql`select pg_advisory_unlock(250788)`;

  assertEquals(await running, "lease_lost");
  assertEquals((await sql`select from public.effects`).length, 0);
  assertEquals(await stateOf(sql, job_id), "running");
  await Promise.all([sql.end(), worker.end()]);
});

Deno.test("a job is not run beside itself, and holds up no reader of events before it writes", async () => {
  const { sql, url } = await createTestDatabase();
  const [worker, other] = [connect(url), connect(url)];
  await addHandler(sql, "wait", "perform pg_advisory_xact_lock(250788); return null;");
  await schedule(sql, "wait");
  const lease = await claimOne(sql, "wait");
  await sql`select pg_advisory_lock(250788)`;

  const running = run(worker, lease);
  await untilSomebodyWaits(sql);
  const beside = await refusal(run(other, lease));
  const [session] = await sql`
    select backend_xid from pg_stat_activity where datname = current_database() and query like '%run_job%' and pid <> pg_backend_pid() and wait_event = 'advisory'`;
  await sql`select pg_advisory_unlock(250788)`;

  assertEquals(beside, "lease_lost");
  assertEquals(session!.backend_xid, null);
  assertEquals(await running, "succeeded");
  await Promise.all([sql, worker, other].map((client) => client.end()));
});

Deno.test("a function's own word of its progress is seen while it runs", async () => {
  const { sql, url } = await createTestDatabase();
  const worker = connect(url);
  await addHandler(
    sql,
    "count",
    `perform private.note_job_progress('{"percent": 40}'); perform pg_advisory_xact_lock(250788); return null;`,
  );
  const { job_id } = await schedule(sql, "count");
  const [lease] = await claim(sql);
  await sql`select pg_advisory_lock(250788)`;

  const running = run(worker, lease!);
  await untilSomebodyWaits(sql);
  const [during] = await sql`select progress from public.get_job(${job_id})`;
  await sql`select pg_advisory_unlock(250788)`;

  assertEquals(await running, "succeeded");
  assertEquals(during!.progress, { percent: 40 });
  const [after] = await worker`select current_setting('application_name') as name`;
  assertEquals(after!.name.includes("progress"), false);
  await Promise.all([sql.end(), worker.end()]);
});
