import { assertEquals, assertNotEquals } from "@std/assert";
import { createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import { addType, claim, claimOne, complete, jobOf, schedule } from "./jobs.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) =>
  Deno.test(
    name,
    rolledBack(database, async (sql) => {
      await addType(sql, "report", { priority: 3, max_attempts: 7 });
      await body(sql);
    }),
  );
const TOMORROW = new Date(Date.now() + 86_400_000);

test("schedule_job() has a job ready at once, as its type says", async (sql) => {
  const scheduled = await schedule(sql, "report", { payload: { month: 11 } });

  assertEquals([scheduled.state, scheduled.is_duplicate], ["ready", false]);
  const { job_name, state, priority, payload, max_attempts, attempt_count } = await jobOf(sql, scheduled.job_id);
  assertEquals({ job_name, state, priority, payload, max_attempts, attempt_count }, {
    job_name: "report",
    state: "ready",
    priority: 3,
    payload: { month: 11 },
    max_attempts: 7,
    attempt_count: 0,
  });
});

test("schedule_job() keeps a job for its time", async (sql) => {
  const scheduled = await schedule(sql, "report", { job_name: "November", scheduled_at: TOMORROW, priority: 9 });

  const { job_name, state, priority, scheduled_at } = await jobOf(sql, scheduled.job_id);
  assertEquals({ job_name, state, priority, scheduled_at }, {
    job_name: "November",
    state: "scheduled",
    priority: 9,
    scheduled_at: TOMORROW,
  });
  assertEquals(await claim(sql, { types: ["report"] }), []);
});

test("a time that has passed is now", async (sql) => {
  assertEquals((await schedule(sql, "report", { scheduled_at: new Date(0) })).state, "ready");
});

test("a job carries the correlation id of who scheduled it, or begins one", async (sql) => {
  const alone = await schedule(sql, "report");
  await sql`select set_config('request.headers', '{"x-correlation-id": "order-17"}', true)`;
  const caused = await schedule(sql, "report");

  assertEquals((await jobOf(sql, alone.job_id)).correlation_id, alone.job_id);
  assertEquals((await jobOf(sql, caused.job_id)).correlation_id, "order-17");
});

test("the same idempotency key again gives the first job, in whatever state it is", async (sql) => {
  const request = { payload: { month: 11 }, idempotency_key: "november" };
  const first = await schedule(sql, "report", request);

  const again = await schedule(sql, "report", request);
  await complete(sql, await claimOne(sql, "report"));
  const later = await schedule(sql, "report", request);

  assertEquals([again.job_id, again.state, again.is_duplicate], [first.job_id, "ready", true]);
  assertEquals([later.job_id, later.state, later.is_duplicate], [first.job_id, "succeeded", true]);
  assertEquals((await sql`select from public.background_jobs`).length, 1);
});

test("the same idempotency key with anything else is refused", async (sql) => {
  const request = { payload: { month: 11 }, idempotency_key: "november", priority: 4 };
  await schedule(sql, "report", request);

  for (
    const other of [{ payload: { month: 12 } }, { priority: 5 }, { job_name: "other" }, { scheduled_at: TOMORROW }, {
      unique_key: "k",
    }]
  ) {
    const [code] = await refusalOf(sql, (sql) => schedule(sql, "report", { ...request, ...other }));
    assertEquals(code, "idempotency_key_reused", JSON.stringify(other));
  }
});

test("an idempotency key belongs to its type", async (sql) => {
  await addType(sql, "letter");
  const report = await schedule(sql, "report", { idempotency_key: "november" });
  const letter = await schedule(sql, "letter", { idempotency_key: "november", payload: { to: 1 } });

  assertNotEquals(report.job_id, letter.job_id);
});

test("schedule_job() refuses what no job can be", async (sql) => {
  for (
    const [argument, request] of [
      ["job_name", { job_name: "" }],
      ["job_name", { job_name: "x".repeat(201) }],
      ["payload", { payload: "x".repeat(262_145) }],
      ["priority", { priority: 10 }],
      ["priority", { priority: -1 }],
      ["idempotency_key", { idempotency_key: "" }],
      ["idempotency_key", { idempotency_key: "x".repeat(256) }],
      ["unique_key", { unique_key: "" }],
      ["unique_mode", { unique_mode: "replace" }],
      ["unique_mode", { unique_mode: "replace", unique_key: "k", idempotency_key: "k" }],
    ] as const
  ) {
    const refusal = await refusalOf(sql, (sql) => schedule(sql, "report", request));
    assertEquals(refusal, ["invalid_argument", { argument }]);
  }
  const [code] = await refusalOf(sql, (sql) => sql`select public.schedule_job('report', scheduled_at => 'infinity')`);
  const [none] = await refusalOf(sql, (sql) => sql`select public.schedule_job('report', payload => null)`);
  const [unknown] = await refusalOf(sql, (sql) => schedule(sql, "no such type"));
  assertEquals([code, none, unknown], ["invalid_argument", "invalid_argument", "invalid_argument"]);
});

test("a type stays as long as there are jobs of it", async (sql) => {
  await addType(sql, "unused");
  await schedule(sql, "report");

  assertEquals(await sqlStateOf(sql, (sql) => sql`delete from public.job_types where job_type = 'report'`), "23503");
  assertEquals(await sqlStateOf(sql, (sql) => sql`delete from public.job_types where job_type = 'unused'`), "00000");
});

test("a type names a handler that is there, and takes and gives jsonb", async (sql) => {
  await sql.unsafe(`
    create function private.fits(payload jsonb) returns jsonb language sql as 'select payload';
    create function private.takes_text(payload text) returns jsonb language sql as 'select null::jsonb';
    create function private.gives_text(payload jsonb) returns text language sql as 'select null';
    create function private.gives_many(payload jsonb) returns setof jsonb language sql as 'select payload'`);
  for (
    const [handler, state] of [
      ["private.fits", "00000"],
      ["private.takes_text", "42883"],
      ["private.gives_text", "42883"],
      ["private.gives_many", "42883"],
      ["private.nothing", "42883"],
      ["fits", "42883"],
      ["private.fits; drop table x", "42883"],
    ] as const
  ) {
    assertEquals(await sqlStateOf(sql, (sql) => addType(sql, "handled", { handler })), state, handler);
    await sql`delete from public.job_types where job_type = 'handled'`;
  }
});

test("a SQL function gets a minute at most, a worker outside a day", async (sql) => {
  await sql.unsafe(`create function private.fits(payload jsonb) returns jsonb language sql as 'select payload'`);
  const add = (type: string, timeout: string, handler: string | null) =>
    sqlStateOf(sql, (sql) => addType(sql, type, { timeout, handler }));

  assertEquals(await add("inside", "1 minute", "private.fits"), "00000");
  assertEquals(await add("inside.long", "61 seconds", "private.fits"), "23514");
  assertEquals(await add("outside", "24 hours", null), "00000");
  assertEquals(await add("outside.long", "25 hours", null), "23514");
});
