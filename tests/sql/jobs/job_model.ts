import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { TransactionSql } from "postgres";
import { type Job, type Lease, maintain, run, schedule } from "./jobs.ts";

/** What a job should be, by a model that knows nothing of tables. */
interface Expected {
  state: Job["state"];
  attempts: number;
  token: number;
  isEffective: boolean;
}

export interface Model {
  jobs: Expected[];
}

export interface Real {
  sql: TransactionSql;
  ids: string[];
  /** Every lease that was ever given, the latest last. */
  leases: { job: number; lease: Lease }[];
}

export const MAX_ATTEMPTS = 3;
const HELD_BACK = new Date(Date.now() + 86_400_000);

type Command = fc.AsyncCommand<Model, Real>;

/** The code of a refusal, or the state that a call gave. */
async function outcome(sql: TransactionSql, call: (sql: TransactionSql) => Promise<Job["state"]>): Promise<string> {
  return await sql.savepoint(call).catch((error) => {
    if (error.code !== "PGRST") throw error;
    return JSON.parse(error.message).code;
  });
}

/** A command that always may be given; `act` changes both sides and says what the call should and did give. */
function command(
  name: string,
  act: (model: Model, real: Real) => Promise<[expected: unknown, found: unknown] | void>,
): Command {
  return {
    check: () => true,
    toString: () => name,
    async run(model, real) {
      const [expected, found] = await act(model, real) ?? [];
      assertEquals(found, expected, name);
      await assertSame(model, real);
    },
  };
}

async function assertSame({ jobs }: Model, { sql, ids }: Real): Promise<void> {
  const rows = await sql<(Expected & { id: string })[]>`
    select id, state, attempt_count as attempts, lease_token::int as token,
      exists (select from public.effects where effects.job_id = background_jobs.id::text) as "isEffective"
    from public.background_jobs`;
  const byId = new Map(rows.map(({ id, ...job }) => [id, job]));
  assertEquals(ids.map((id) => byId.get(id)), jobs);
}

export const COMMANDS: fc.Arbitrary<Command>[] = [
  fc.boolean().map((isLater) =>
    command(isLater ? "schedule later" : "schedule", async ({ jobs }, { sql, ids }) => {
      const { job_id } = await schedule(sql, "work", isLater ? { scheduled_at: HELD_BACK } : {});
      await sql`update public.background_jobs set payload = ${sql.json({ id: job_id })} where id = ${job_id}`;
      ids.push(job_id);
      jobs.push({ state: isLater ? "scheduled" : "ready", attempts: 0, token: 0, isEffective: false });
    })
  ),
  fc.constant(command("claim", async ({ jobs }, { sql, ids, leases }) => {
    const claimed = await sql<Lease[]>`select id, lease_token from public.claim_jobs(array['work'], 1, 60)`;
    for (const lease of claimed) {
      const job = ids.indexOf(lease.id);
      leases.push({ job, lease });
      jobs[job] = { ...jobs[job]!, state: "running", attempts: jobs[job]!.attempts + 1, token: jobs[job]!.token + 1 };
    }
    return [Math.min(1, jobs.filter(({ state }) => state === "ready").length + claimed.length), claimed.length];
  })),
  ...(["complete", "fail", "release", "run"] as const).map((end) =>
    fc.nat().map((pick) =>
      command(`${end} by lease ${pick}`, async ({ jobs }, { sql, leases }) => {
        const { job, lease } = leases[pick % leases.length] ?? {};
        if (job === undefined || !lease) return;
        const { id, lease_token } = lease;
        const calls = {
          complete: async (sql: TransactionSql) =>
            (await sql`select public.complete_job(${id}, ${lease_token}) as state`)[0]!.state,
          fail: async (sql: TransactionSql) =>
            (await sql`select public.fail_job(${id}, ${lease_token}, 'no') as state`)[0]!.state,
          release: async (sql: TransactionSql) => {
            await sql`select public.release_job(${id}, ${lease_token})`;
            return "ready" as const;
          },
          run: (sql: TransactionSql) => run(sql, lease),
        };
        const found = await outcome(sql, calls[end]);
        return [ended(jobs[job]!, end, Number(lease_token)), found];
      })
    )
  ),
  fc.nat().map((pick) =>
    command(`cancel ${pick}`, async ({ jobs }, { sql, ids }) => {
      const [job, id] = [jobs[pick % jobs.length], ids[pick % ids.length]];
      if (!job || !id) return;
      const found = await outcome(sql, async (sql) => (await sql`select * from public.cancel_job(${id})`)[0]!.state);
      if (["succeeded", "failed"].includes(job.state)) return ["job_state_conflict", found];
      job.state = "cancelled";
      return ["cancelled", found];
    })
  ),
  fc.nat().map((pick) =>
    command(`retry ${pick}`, async ({ jobs }, { sql, ids }) => {
      const [job, id] = [jobs[pick % jobs.length], ids[pick % ids.length]];
      if (!job || !id) return;
      const found = await outcome(sql, async (sql) => (await sql`select * from public.retry_job(${id})`)[0]!.state);
      if (["succeeded", "running"].includes(job.state)) return ["job_state_conflict", found];
      if (job.state !== "ready") Object.assign(job, { state: "ready", attempts: 0 });
      return ["ready", found];
    })
  ),
  fc.constant(command("time passes", async ({ jobs }, { sql }) => {
    await sql`update public.background_jobs set scheduled_at = now() where state = 'scheduled'`;
    await sql`update public.background_jobs set lease_until = now() where state = 'running'`;
    await maintain(sql);
    for (const job of jobs) {
      if (job.state === "scheduled") job.state = "ready";
      else if (job.state === "running") job.state = job.attempts < MAX_ATTEMPTS ? "scheduled" : "failed";
    }
  })),
];

/** What ending an attempt should give, and do to the job. */
function ended(job: Expected, end: "complete" | "fail" | "release" | "run", token: number): string {
  const isHeld = job.state === "running" && job.token === token;
  if (end === "complete" && job.state === "succeeded" && job.token === token) return "succeeded";
  if (!isHeld) return "lease_lost";
  if (end === "fail") job.state = job.attempts < MAX_ATTEMPTS ? "scheduled" : "failed";
  if (end === "release") Object.assign(job, { state: "ready", attempts: job.attempts - 1 });
  if (end === "complete" || end === "run") job.state = "succeeded";
  if (end === "run") job.isEffective = true;
  return job.state;
}
