import { assertEquals, assertMatch } from "@std/assert";
import type { Sql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { untilSomebodyWaits } from "../foundation/waiting.ts";
import {
  addHandler,
  claimOne,
  endLease,
  type Job,
  jobOf,
  type Lease,
  maintain,
  refusal,
  run,
  schedule,
} from "./jobs.ts";

const EFFECT = "insert into public.effects values ('done');";
const FOR_EVER = `${EFFECT} loop perform pg_sleep(0.01); end loop;`;
const STUBBORN = `loop begin perform pg_sleep(60); exception when query_canceled then null; end; end loop;`;
const WAITING = `${EFFECT} perform pg_advisory_xact_lock(250788); return null;`;

type Session = (work?: (sql: Sql) => Promise<unknown>) => Promise<unknown>;

interface Suite {
  /** As `postgres`, like the schedule. */
  sql: Sql;
  /** Runs the job, or something else, as the API does: logged in as authenticator, with the service's role. */
  service: Session;
  /** The same in a session that `postgres` may not cancel. */
  superuser: Session;
  /** A claimed job of a type `work` with a time limit of a second. */
  lease: Lease;
}

function test(name: string, handler: string, body: (suite: Suite) => Promise<void>): void {
  Deno.test(name, async () => {
    const { sql, authenticatorUrl, superuserUrl } = await createTestDatabase();
    await sql`create table public.effects (name text)`;
    await addHandler(sql, "work", handler, { timeout: "1 second" });
    await schedule(sql, "work");
    const lease = await claimOne(sql, "work");
    const session = (url: string, role: string): Session => async (work = (sql) => run(sql, lease)) => {
      const own = connect(url);
      try {
        // As PostgREST does: the called function's limit takes the place of the role's.
        await own`select set_config('role', ${role}, false), set_config('statement_timeout', '65s', false)`;
        return await work(own);
      } finally {
        await own.end({ timeout: 1 });
      }
    };
    const [service, superuser] = [session(authenticatorUrl, "service_role"), session(superuserUrl, "none")];
    await body({ sql, service, superuser, lease });
    await sql.end();
  });
}

async function effects(sql: Sql): Promise<number> {
  return (await sql`select from public.effects`).length;
}

/** Maintains again and again, as the schedule does, until the job is in another state. */
async function untilNotRunning(sql: Sql, id: string): Promise<Job> {
  const job = await jobOf(sql, id);
  if (job.state !== "running") return job;
  await endLease(sql, id);
  await maintain(sql);
  await new Promise((resolve) => setTimeout(resolve, 50));
  return await untilNotRunning(sql, id);
}

/** Waits until the job's function runs, and has written what it writes first. */
async function untilRunning(sql: Sql, id: string): Promise<void> {
  const [session] = await sql`
    select from private.job_run(${id}) as run join pg_stat_activity as session using (pid) where session.backend_xid is not null`;
  if (session) return;
  await new Promise((resolve) => setTimeout(resolve, 10));
  await untilRunning(sql, id);
}

test("a function that goes on for ever is ended after its time, and that is the failure", FOR_EVER, async (suite) => {
  const { sql, service, lease } = suite;
  const running = service();
  await untilRunning(sql, lease.id);

  const job = await untilNotRunning(sql, lease.id);

  assertEquals(job.state, "scheduled");
  assertMatch(job.last_error!, /^timed out: 57014 /);
  assertEquals(await running, "scheduled");
  assertEquals(await effects(sql), 0);
});

test("a function within its time is left alone, even when its lease has ended", WAITING, async (suite) => {
  const { sql, service, lease } = suite;
  await sql`update public.job_types set timeout = '1 minute'`;
  await sql`select pg_advisory_lock(250788)`;
  const running = service();
  await untilSomebodyWaits(sql);

  await endLease(sql, lease.id);
  await maintain(sql);
  const [look] = await sql`select lease_until > now() + interval '30 seconds' as is_later from public.background_jobs`;
  await sql`select pg_advisory_unlock(250788)`;

  assertEquals(look!.is_later, true);
  assertEquals(await running, "succeeded");
  assertEquals(await effects(sql), 1);
});

test("a function that will not be cancelled loses its session", STUBBORN, async ({ sql, service, lease }) => {
  const running = refusal(service());

  // What cannot be cancelled ends ten seconds later.
  assertMatch(await running, /^(25P04|CONNECTION_CLOSED)$/);

  const job = await untilNotRunning(sql, lease.id);
  assertEquals([job.state, job.last_error], ["scheduled", "timed out"]);
});

test(
  "cancel_job() is recorded at once, interrupts the function and leaves none of its effect",
  FOR_EVER,
  async (suite) => {
    const { sql, service, lease } = suite;
    const running = refusal(service());
    await untilRunning(sql, lease.id);

    const cancelled = await service((api) => api`select state from public.cancel_job(${lease.id})`);

    assertEquals([...(cancelled as Job[])], [{ state: "cancelled" } as Job]);
    assertEquals(await running, "lease_lost");
    assertEquals((await jobOf(sql, lease.id)).state, "cancelled");
    assertEquals(await effects(sql), 0);
  },
);

test("what cannot be reached goes on without effect", WAITING, async ({ sql, superuser, lease }) => {
  await sql`select pg_advisory_lock(250788)`;
  const running = refusal(superuser());
  await untilSomebodyWaits(sql);

  await sql`select public.cancel_job(${lease.id})`;
  await sql`select pg_advisory_unlock(250788)`;

  assertEquals(await running, "lease_lost");
  assertEquals((await jobOf(sql, lease.id)).state, "cancelled");
  assertEquals(await effects(sql), 0);
});

test("the time limit of what cannot be reached ends it all the same", FOR_EVER, async ({ sql, superuser, lease }) => {
  const running = refusal(superuser());
  await untilRunning(sql, lease.id);
  await endLease(sql, lease.id);
  await maintain(sql);

  assertMatch(await running, /^(25P04|CONNECTION_CLOSED)$/);
  assertEquals((await untilNotRunning(sql, lease.id)).last_error, "timed out");
  assertEquals(await effects(sql), 0);
});

test("a job whose session died is tried again when its lease ends", FOR_EVER, async ({ sql, service, lease }) => {
  await sql`update public.job_types set timeout = '1 minute'`;
  const running = refusal(service());
  await untilRunning(sql, lease.id);

  await sql`select pg_terminate_backend(run.pid) from private.job_run(${lease.id}) as run`;
  await running;
  await maintain(sql);
  const before = await jobOf(sql, lease.id);
  await endLease(sql, lease.id);
  await maintain(sql);

  const { state, attempt_count, last_error } = await jobOf(sql, lease.id);
  assertEquals(before.state, "running");
  assertEquals([state, attempt_count, last_error], ["scheduled", 1, "worker lost: the lease has ended"]);
  assertEquals(await effects(sql), 0);
});
