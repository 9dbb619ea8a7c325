import type { ISql } from "postgres";

/** A row of `background_jobs`, as far as tests look at it. */
export interface Job {
  id: string;
  job_type: string;
  job_name: string;
  state: "scheduled" | "ready" | "running" | "succeeded" | "failed" | "cancelled";
  priority: number;
  payload: unknown;
  scheduled_at: Date;
  attempt_count: number;
  max_attempts: number;
  lease_token: string;
  lease_until: Date | null;
  finished_at: Date | null;
  progress: unknown;
  result: unknown;
  last_error: string | null;
  correlation_id: string;
}

/** What schedule_job() takes beside the type. */
export interface Request {
  job_name?: string;
  payload?: unknown;
  scheduled_at?: Date;
  priority?: number;
  idempotency_key?: string;
  unique_key?: string;
  unique_mode?: "reject" | "replace";
}

/** What schedule_job() gives. */
export interface Scheduled {
  job_id: string;
  state: Job["state"];
  scheduled_at: Date;
  is_duplicate: boolean;
}

/** What identifies a lease. */
export interface Lease {
  id: string;
  lease_token: string;
}

/** Adds a job type; without a handler, jobs of it are worked on outside. */
export async function addType(sql: ISql, type: string, settings: Record<string, unknown> = {}): Promise<void> {
  await sql`insert into public.job_types ${sql({ job_type: type, description: "A test's", ...settings })}`;
}

/** Adds a job type whose handler has this PL/pgSQL body and can use `payload`. */
export async function addHandler(
  sql: ISql,
  type: string,
  body: string,
  settings: Record<string, unknown> = {},
): Promise<void> {
  await sql.unsafe(`
    create function private.${type}(payload jsonb) returns jsonb language plpgsql set search_path = '' as $$
    begin
      ${body}
    end $$`);
  await addType(sql, type, { handler: `private.${type}`, ...settings });
}

/** Schedules a job as the API does: arguments by name. */
export async function schedule(sql: ISql, type: string, request: Request = {}): Promise<Scheduled> {
  const { payload = {}, job_name = null, scheduled_at = null, priority = null } = request;
  const { idempotency_key = null, unique_key = null, unique_mode = "reject" } = request;
  const [row] = await sql<[Scheduled]>`
    select * from public.schedule_job(
      job_type => ${type}, job_name => ${job_name}, payload => ${
    sql.json(payload as never)
  }, scheduled_at => ${scheduled_at},
      priority => ${priority}, idempotency_key => ${idempotency_key}, unique_key => ${unique_key}, unique_mode => ${unique_mode})`;
  return row;
}

/** Claims jobs of these types, or those with SQL functions. */
export async function claim(
  sql: ISql,
  { types = null, count = 10, seconds = 60 }: { types?: string[] | null; count?: number; seconds?: number } = {},
): Promise<(Lease & { job_type: string; payload: unknown; attempt_count: number; correlation_id: string })[]> {
  return [...await sql`select * from public.claim_jobs(${types}, ${count}, ${seconds})`] as never;
}

/** Claims one job and nothing else. */
export async function claimOne(sql: ISql, type: string): Promise<Lease> {
  const [lease] = await claim(sql, { types: [type], count: 1 });
  if (!lease) throw new Error(`no ${type} is ready`);
  return lease;
}

export async function complete(sql: ISql, { id, lease_token }: Lease, result: unknown = null): Promise<void> {
  await sql`select public.complete_job(${id}, ${lease_token}, ${sql.json(result as never)})`;
}

export async function fail(
  sql: ISql,
  { id, lease_token }: Lease,
  { error = "no", retryAfter = null, isFinal = false }: {
    error?: string;
    retryAfter?: number | null;
    isFinal?: boolean;
  } = {},
): Promise<void> {
  await sql`select public.fail_job(${id}, ${lease_token}, ${error}, ${retryAfter}, ${isFinal})`;
}

/** Runs a claimed job's SQL function; gives the state after it. */
export async function run(sql: ISql, { id, lease_token }: Lease): Promise<Job["state"]> {
  const [row] = await sql`select public.run_job(${id}, ${lease_token}) as state`;
  return row!.state;
}

export async function maintain(
  sql: ISql,
): Promise<{ scheduled: number; promoted: number; reaped: number; purged: number }> {
  const [row] = await sql`select public.maintain_jobs() as did`;
  return row!.did;
}

export async function jobOf(sql: ISql, id: string): Promise<Job> {
  const [job] = await sql<Job[]>`select * from public.background_jobs where id = ${id}`;
  return job!;
}

export async function stateOf(sql: ISql, id: string): Promise<Job["state"]> {
  return (await jobOf(sql, id)).state;
}

/** Lets a job's lease have ended, without waiting for it. */
export async function endLease(sql: ISql, id: string): Promise<void> {
  await sql`update public.background_jobs set lease_until = now() - interval '1 second' where id = ${id}`;
}

/** Makes what waits for its time due now. */
export async function comeDue(sql: ISql): Promise<void> {
  await sql`update public.background_jobs set scheduled_at = now() where state = 'scheduled'`;
}

/** The code that a call outside a test's transaction is refused with, or its SQLSTATE. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return code === "PGRST" ? JSON.parse(message).code : code;
  }
  return "none";
}
