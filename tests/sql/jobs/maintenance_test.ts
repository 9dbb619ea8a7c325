import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import {
  addType,
  claim,
  claimOne,
  comeDue,
  complete,
  endLease,
  fail,
  jobOf,
  maintain,
  schedule,
  stateOf,
} from "./jobs.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) =>
  Deno.test(
    name,
    rolledBack(database, async (sql) => {
      await addType(sql, "letter", { max_attempts: 2, timeout: "5 minutes", retention: "1 day" });
      await body(sql);
    }),
  );
const TOMORROW = new Date(Date.now() + 86_400_000);

async function purgedAfter(sql: TransactionSql, id: string, age: string): Promise<boolean> {
  await sql`update public.background_jobs set finished_at = now() - ${age}::interval where id = ${id}`;
  await maintain(sql);
  return await jobOf(sql, id) === undefined;
}

test("what comes due is made ready, the longest due first, and nothing else", async (sql) => {
  const ids = [];
  for (const payload of [1, 2, 3]) {
    ids.push((await schedule(sql, "letter", { payload, scheduled_at: TOMORROW })).job_id);
  }
  await schedule(sql, "letter", { scheduled_at: TOMORROW });
  for (const [position, id] of ids.entries()) {
    await sql`update public.background_jobs set scheduled_at = now() - make_interval(mins => ${
      position + 1
    }) where id = ${id}`;
  }

  assertEquals((await maintain(sql)).promoted, 3);

  assertEquals((await claim(sql, { types: ["letter"] })).map(({ payload }) => payload), [3, 2, 1]);
});

test("a job whose worker is lost is tried again, and has failed when no attempt is left", async (sql) => {
  const { job_id } = await schedule(sql, "letter");
  const states = [];
  for (let attempts = 0; attempts < 2; attempts++) {
    await claimOne(sql, "letter");
    await endLease(sql, job_id);
    assertEquals((await maintain(sql)).reaped, 1);
    states.push(await stateOf(sql, job_id));
    await comeDue(sql);
    await maintain(sql);
  }

  assertEquals(states, ["scheduled", "failed"]);
  assertEquals((await jobOf(sql, job_id)).last_error, "worker lost: the lease has ended");
});

test("a job that outstayed its type's timeout is told so", async (sql) => {
  const { job_id } = await schedule(sql, "letter");
  await claimOne(sql, "letter");
  await sql`update public.background_jobs set started_at = now() - interval '5 minutes'`;
  await endLease(sql, job_id);

  await maintain(sql);

  assertEquals((await jobOf(sql, job_id)).last_error, "timed out");
});

test("leases that hold are left alone", async (sql) => {
  const { job_id } = await schedule(sql, "letter");
  await claimOne(sql, "letter");

  assertEquals((await maintain(sql)).reaped, 0);
  assertEquals(await stateOf(sql, job_id), "running");
});

test("finished jobs stay for their type's retention, and then go", async (sql) => {
  const next = async () => (await schedule(sql, "letter")).job_id;
  const succeeded = await next();
  await complete(sql, await claimOne(sql, "letter"));
  const failed = await next();
  await fail(sql, await claimOne(sql, "letter"), { isFinal: true });
  const cancelled = await next();
  await sql`select public.cancel_job(${cancelled})`;

  for (const id of [succeeded, failed, cancelled]) {
    assertEquals([await purgedAfter(sql, id, "23 hours"), await purgedAfter(sql, id, "25 hours")], [false, true]);
  }
});

test("living jobs stay, however old", async (sql) => {
  await schedule(sql, "letter", { scheduled_at: TOMORROW });
  await schedule(sql, "letter");
  await schedule(sql, "letter");
  await claimOne(sql, "letter");
  await sql`update public.background_jobs set created_at = now() - interval '2 years', started_at = now() - interval '2 years'`;

  assertEquals((await maintain(sql)).purged, 0);
});

test("an idempotency key is free again when its job is gone", async (sql) => {
  const first = await schedule(sql, "letter", { idempotency_key: "november" });
  await complete(sql, await claimOne(sql, "letter"));
  await purgedAfter(sql, first.job_id, "25 hours");

  assertEquals((await schedule(sql, "letter", { idempotency_key: "november", payload: 2 })).is_duplicate, false);
});

test("each step is bounded", async (sql) => {
  for (let jobs = 0; jobs < 5; jobs++) await schedule(sql, "letter", { scheduled_at: TOMORROW });
  await comeDue(sql);

  const [first] = await sql`select public.maintain_jobs(2) as did`;

  assertEquals(first!.did.promoted, 2);
  const [code] = await refusalOf(sql, (sql) => sql`select public.maintain_jobs(0)`);
  assertEquals(code, "invalid_argument");
});

Deno.test("with nothing to do it writes nothing", async () => {
  const { sql } = await createTestDatabase();

  await sql.begin(async (sql) => {
    await maintain(sql);
    const [row] = await sql`select pg_current_xact_id_if_assigned() as id`;
    assertEquals(row!.id, null);
  });

  await sql.end();
});
