import { assertEquals } from "@std/assert";
import type { Sql, TransactionSql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import { addHandler, addType, claim, jobOf, maintain, schedule } from "./jobs.ts";

const MANY_PLACES = 5_000;
const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) =>
  Deno.test(
    name,
    rolledBack(database, async (sql) => {
      await addType(sql, "outside", { timeout: "5 minutes" });
      await addHandler(sql, "inside", "return payload;");
      await body(sql);
    }),
  );

async function scheduleAll(sql: TransactionSql, type: string, numbers: number[], priority?: number): Promise<void> {
  for (const number of numbers) await schedule(sql, type, { payload: number, priority });
}

const payloads = (jobs: { payload: unknown }[]) => jobs.map(({ payload }) => payload);

test("claim_jobs() leases the most urgent first, then the oldest", async (sql) => {
  await scheduleAll(sql, "outside", [1, 2], 5);
  await scheduleAll(sql, "outside", [3, 4], 0);
  await scheduleAll(sql, "outside", [5], 9);

  assertEquals(payloads(await claim(sql, { types: ["outside"], count: 3 })), [3, 4, 1]);
  assertEquals(payloads(await claim(sql, { types: ["outside"], count: 3 })), [2, 5]);
  assertEquals(await claim(sql, { types: ["outside"] }), []);
});

test("claim_jobs() counts the attempt and says until when the job is the claimer's", async (sql) => {
  const { job_id } = await schedule(sql, "outside", { payload: { to: 1 } });

  const [claimed] = await sql`
    select id, lease_token, lease_until - now() as lease, times_out_at - now() as timeout, job_type, job_name, payload,
      attempt_count, max_attempts, correlation_id
    from public.claim_jobs(array['outside'], 1, 45)`;

  assertEquals({ ...claimed }, {
    id: job_id,
    lease_token: "1",
    lease: "00:00:45",
    timeout: "00:05:00",
    job_type: "outside",
    job_name: "outside",
    payload: { to: 1 },
    attempt_count: 1,
    max_attempts: 10,
    correlation_id: job_id,
  });
  const { state, attempt_count } = await jobOf(sql, job_id);
  assertEquals({ state, attempt_count }, { state: "running", attempt_count: 1 });
});

test("a lease ends with the time limit of what runs outside", async (sql) => {
  await schedule(sql, "outside");

  const [claimed] =
    await sql`select lease_until = times_out_at as is_limited from public.claim_jobs(array['outside'], 1, 3600)`;

  assertEquals(claimed!.is_limited, true);
});

test("claim_jobs() gives the types that are named, or those with a SQL function", async (sql) => {
  await schedule(sql, "outside");
  await schedule(sql, "inside");
  const types = (jobs: { job_type: string }[]) => jobs.map(({ job_type }) => job_type).sort();

  assertEquals(types(await claim(sql)), ["inside"]);
  await schedule(sql, "inside");
  assertEquals(types(await claim(sql, { types: ["outside", "inside"] })), ["inside", "outside"]);
});

test("claim_jobs() gives nothing of a type that is paused", async (sql) => {
  await schedule(sql, "outside");
  await sql`update public.job_types set is_paused = true where job_type = 'outside'`;
  assertEquals(await claim(sql, { types: ["outside"] }), []);

  await sql`update public.job_types set is_paused = false where job_type = 'outside'`;
  assertEquals((await claim(sql, { types: ["outside"] })).length, 1);
});

test("a type that has much to do does not starve one of the same priority", async (sql) => {
  await addType(sql, "busy");
  await scheduleAll(sql, "busy", [1, 2, 3]);
  await scheduleAll(sql, "outside", [4]);
  await scheduleAll(sql, "busy", [5, 6, 7]);
  const both = { types: ["busy", "outside"], count: 3 };

  const order = [...await claim(sql, both), ...await claim(sql, both)];

  assertEquals(payloads(order).slice(0, 4), [1, 2, 3, 4]);
});

test("claim_jobs() refuses what makes no sense", async (sql) => {
  const attempts = [{ count: 0 }, { count: 1001 }, { seconds: 0 }, { seconds: 3601 }, { types: [] }];
  for (const attempt of attempts) {
    assertEquals((await refusalOf(sql, (sql) => claim(sql, attempt)))[0], "invalid_argument", JSON.stringify(attempt));
  }
  assertEquals(await claim(sql, { types: ["no such type"] }), []);
});

test("jobs are the service's alone", async (sql) => {
  const calls = [
    "select public.schedule_job('outside')",
    "select public.claim_jobs()",
    "select public.run_job(gen_random_uuid(), 1)",
    "select public.complete_job(gen_random_uuid(), 1)",
    "select public.maintain_jobs()",
    "select public.set_recurring_job('x', 'outside', '* * * * *')",
    "select from public.background_jobs",
    "select from public.job_types",
    "select from public.background_job_stats",
  ];
  for (const role of ["anon", "authenticated"] as const) {
    for (const call of calls) {
      assertEquals(await sqlStateOf(sql, (sql) => as(sql, role, {}, (sql) => sql.unsafe(call))), "42501", call);
    }
  }
  for (
    const change of [
      "insert into public.background_jobs default values",
      "delete from public.background_jobs",
      "update public.job_types set handler = 'pg_catalog.to_jsonb'",
    ]
  ) {
    const state = await sqlStateOf(sql, (sql) => as(sql, "service_role", {}, (sql) => sql.unsafe(change)));
    assertEquals(state, "42501", change);
  }
});

Deno.test("no job is given to two, and none is left out, however many claim", async () => {
  const { sql, url } = await createTestDatabase();
  await addType(sql, "outside");
  await sql`select public.schedule_job('outside', payload => to_jsonb(n), priority => n % 10) from generate_series(1, 400) as n`;
  const clients = Array.from({ length: 6 }, () => connect(url));

  const claimed: unknown[] = [];
  await Promise.all(clients.map(async (client) => {
    for (;;) {
      const jobs = await claim(client, { types: ["outside"], count: 7 });
      if (jobs.length === 0) return;
      claimed.push(...payloads(jobs));
    }
  }));

  assertEquals(claimed.length, 400);
  assertEquals(new Set(claimed).size, 400);
  await Promise.all([sql, ...clients].map((client) => client.end()));
});

Deno.test("a place that was drawn early and committed late is not passed by", async () => {
  const { sql, url } = await createTestDatabase();
  const slow = connect(url);
  await addType(sql, "outside");
  await schedule(sql, "outside");
  const late = await slow.reserve();
  await late`begin`;
  await schedule(late, "outside", { payload: "late" });
  await sql`select public.schedule_job('outside', payload => to_jsonb(n)) from generate_series(1, 50) as n`;

  assertEquals((await claim(sql, { types: ["outside"], count: 100 })).length, 51);
  await drawPlaces(sql);
  for (let ticks = 0; ticks < 3; ticks++) await maintain(sql);
  await late`commit`;
  await maintain(sql);

  assertEquals(payloads(await claim(sql, { types: ["outside"] })), ["late"]);
  late.release();
  await Promise.all([sql.end(), slow.end()]);
});

Deno.test("nobody who schedules waits for another, not even for the first of a type", async () => {
  const { sql, url } = await createTestDatabase();
  const slow = connect(url);
  await addType(sql, "outside");
  const first = await slow.reserve();
  await first`begin`;
  await schedule(first, "outside", { payload: 1 });

  await schedule(sql, "outside", { payload: 2 });
  await schedule(sql, "outside", { payload: 3 });
  await first`commit`;
  const both = payloads(await claim(sql, { types: ["outside"] }));
  await maintain(sql);

  assertEquals(both, [1, 2, 3]);
  assertEquals((await sql`select from private.job_lanes`).length, 1);
  first.release();
  await Promise.all([sql.end(), slow.end()]);
});

Deno.test("claims begin behind what is done, while an old snapshot keeps it in the index", async () => {
  const { sql, url } = await createTestDatabase();
  const report = connect(url);
  await addType(sql, "outside");
  const snapshot = await report.reserve();
  await snapshot`begin isolation level repeatable read`;
  await snapshot`select`;
  await sql`select public.schedule_job('outside', payload => to_jsonb(n)) from generate_series(1, 50) as n`;

  await claim(sql, { types: ["outside"], count: 50 });
  await drawPlaces(sql);
  await untilRaised(sql, 50 + MANY_PLACES + 1);
  await schedule(sql, "outside", { payload: "new" });

  assertEquals(payloads(await claim(sql, { types: ["outside"] })), ["new"]);
  await snapshot`commit`;
  snapshot.release();
  await Promise.all([sql.end(), report.end()]);
});

/** As if other types had become busy: for fewer places a lane is not raised. */
async function drawPlaces(sql: Sql): Promise<void> {
  await sql`select count(nextval('private.job_positions')) from generate_series(1, ${MANY_PLACES}::int)`;
}

/** Other tests' transactions on this cluster may hold a lane back for a while. */
async function untilRaised(sql: Sql, position: number): Promise<void> {
  await maintain(sql);
  const [lane] = await sql`
    select low_position::int from private.job_lanes where job_type = 'outside' and priority = 5`;
  if (lane!.low_position === position) return;
  await new Promise((resolve) => setTimeout(resolve, 20));
  await untilRaised(sql, position);
}
