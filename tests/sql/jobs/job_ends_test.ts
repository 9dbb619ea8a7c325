import { assert, assertEquals } from "@std/assert";
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
  type Lease,
  maintain,
  schedule,
  stateOf,
} from "./jobs.ts";

const database = await createTestDatabase();
const test = (name: string, body: (sql: TransactionSql, lease: Lease) => Promise<void>) =>
  Deno.test(
    name,
    rolledBack(database, async (sql) => {
      await addType(sql, "letter", {
        max_attempts: 3,
        timeout: "5 minutes",
        shortest_backoff: "10 seconds",
        longest_backoff: "1 minute",
      });
      await schedule(sql, "letter");
      await body(sql, await claimOne(sql, "letter"));
    }),
  );

const report = (sql: TransactionSql, { id, lease_token }: Lease, progress: unknown, seconds = 60) =>
  sql`select public.report_job_progress(${id}, ${lease_token}, ${sql.json(progress as never)}, ${seconds})`;
const release = (sql: TransactionSql, { id, lease_token }: Lease) =>
  sql`select public.release_job(${id}, ${lease_token})`;

/** The codes that everything is refused with which needs a lease. */
async function refusals(sql: TransactionSql, lease: Lease): Promise<string[]> {
  const ends = [complete, fail, release, (sql: TransactionSql, lease: Lease) => report(sql, lease, 1)];
  const codes = [];
  for (const end of ends) codes.push((await refusalOf(sql, async (sql) => void await end(sql, lease)))[0]);
  return codes;
}

const LOST = Array(4).fill("lease_lost");

test("complete_job() ends a job with its result, and again changes nothing", async (sql, lease) => {
  await complete(sql, lease, { sent: 1 });
  await complete(sql, lease, { sent: 2 });

  const { state, result, lease_until, finished_at } = await jobOf(sql, lease.id);
  assertEquals([state, result, lease_until, finished_at !== null], ["succeeded", { sent: 1 }, null, true]);
});

test("fail_job() keeps why and has the job wait for its next attempt", async (sql, lease) => {
  await fail(sql, lease, { error: "x".repeat(2_000) });

  const [job] = await sql`
    select state, length(last_error) as kept, last_failed_at is not null as has_failed, finished_at,
      scheduled_at between now() + interval '5 seconds' and now() + interval '10 seconds' as waits
    from public.background_jobs where id = ${lease.id}`;
  assertEquals({ ...job }, { state: "scheduled", kept: 1_000, has_failed: true, finished_at: null, waits: true });
});

test("the wait doubles with each failure, up to the type's longest", async (sql, lease) => {
  await sql`update public.background_jobs set max_attempts = 100, attempt_count = 50`;
  await fail(sql, lease);

  const [job] = await sql`select scheduled_at - now() between interval '30 seconds' and interval '1 minute' as is_long
    from public.background_jobs`;
  assertEquals(job!.is_long, true);
});

test("fail_job() waits longer than the backoff where the other side asks for it", async (sql, lease) => {
  await fail(sql, lease, { retryAfter: 3_600 });

  const [job] = await sql`select scheduled_at - now() = interval '1 hour' as waits from public.background_jobs`;
  assertEquals(job!.waits, true);
});

test("a job has failed when its attempts are used up", async (sql, lease) => {
  const states = [];
  for (let next: Lease | undefined = lease; next; [next] = await claim(sql, { types: ["letter"] })) {
    await fail(sql, next);
    states.push(await stateOf(sql, lease.id));
    await comeDue(sql);
    await maintain(sql);
  }

  assertEquals(states, ["scheduled", "scheduled", "failed"]);
  assertEquals((await jobOf(sql, lease.id)).attempt_count, 3);
});

test("a failure can be final", async (sql, lease) => {
  await fail(sql, lease, { isFinal: true, error: "no such address" });

  const { state, last_error } = await jobOf(sql, lease.id);
  assertEquals([state, last_error], ["failed", "no such address"]);
});

test("release_job() gives a job back as if it had not been claimed", async (sql, lease) => {
  await release(sql, lease);

  const { state, attempt_count } = await jobOf(sql, lease.id);
  assertEquals([state, attempt_count], ["ready", 0]);
  assertEquals((await claimOne(sql, "letter")).lease_token, "2");
});

test("report_job_progress() keeps how far a job is and extends its lease", async (sql, lease) => {
  await report(sql, lease, { percent: 40 }, 120);
  const [first] = await sql`select progress, lease_until - now() as lease from public.background_jobs`;
  await sql`select public.report_job_progress(${lease.id}, ${lease.lease_token})`;

  assertEquals({ ...first }, { progress: { percent: 40 }, lease: "00:02:00" });
  assertEquals((await jobOf(sql, lease.id)).progress, { percent: 40 });
});

test("a lease is not extended beyond the type's timeout", async (sql, lease) => {
  await report(sql, lease, 1, 3_600);

  const [job] = await sql`select lease_until - now() as lease from public.background_jobs`;
  assertEquals(job!.lease, "00:05:00");
});

test("progress begins anew with each attempt", async (sql, lease) => {
  await report(sql, lease, { percent: 40 });
  await fail(sql, lease);
  await comeDue(sql);
  await maintain(sql);
  await claimOne(sql, "letter");

  assertEquals((await jobOf(sql, lease.id)).progress, null);
});

test("who has lost the lease is refused, whatever became of the job", async (sql, lease) => {
  await endLease(sql, lease.id);
  await maintain(sql);
  assertEquals(await refusals(sql, lease), LOST);

  await comeDue(sql);
  await maintain(sql);
  const next = await claimOne(sql, "letter");
  assertEquals(await refusals(sql, lease), LOST);

  await sql`select public.cancel_job(${lease.id})`;
  assertEquals(await refusals(sql, next), LOST);
});

test("a worker learns from the refusal that the job was cancelled", async (sql, lease) => {
  await sql`select public.cancel_job(${lease.id})`;

  const refusal = await refusalOf(sql, async (sql) => void await report(sql, lease, 1));

  assertEquals(refusal, ["lease_lost", { state: "cancelled" }]);
});

test("nobody ends a job that is not there, or is not running", async (sql, lease) => {
  const nobody = { id: crypto.randomUUID(), lease_token: "1" };
  const [missing] = await refusalOf(sql, (sql) => complete(sql, nobody));
  await complete(sql, lease);
  const [done] = await refusalOf(sql, (sql) => fail(sql, lease));
  const { job_id } = await schedule(sql, "letter");
  const [ready] = await refusalOf(sql, (sql) => complete(sql, { id: job_id, lease_token: "0" }));

  assertEquals([missing, done, ready], ["job_not_found", "lease_lost", "lease_lost"]);
});

test("a lease that has ended but that nobody took over still counts", async (sql, lease) => {
  await endLease(sql, lease.id);

  await complete(sql, lease);

  assertEquals(await stateOf(sql, lease.id), "succeeded");
});

test("results, errors and progress are bounded", async (sql, lease) => {
  const attempts = [
    () => complete(sql, lease, "x".repeat(262_145)),
    () => fail(sql, lease, { retryAfter: -1 }),
    () => fail(sql, lease, { retryAfter: 2_592_001 }),
    () => sql`select public.fail_job(${lease.id}, ${lease.lease_token}, null)`.then(() => {}),
    () => report(sql, lease, "x".repeat(8_193)).then(() => {}),
    () => report(sql, lease, 1, 0).then(() => {}),
    () => report(sql, lease, 1, 3_601).then(() => {}),
  ];
  for (const attempt of attempts) assertEquals((await refusalOf(sql, attempt))[0], "invalid_argument", String(attempt));
  assert(await stateOf(sql, lease.id) === "running");
});
