import { setTimeout as sleep } from "node:timers/promises";
import { Cron } from "croner";
import type { Sql } from "postgres";

interface Job {
  name: string;
  cron: string;
  last_started_at: Date | null;
}

/** Prints what is wrong with something, once until it changes; null means that it is well. */
type Report = (what: string, reason: string | null) => void;

const TICK_MS = 1_000;

/**
 * Drives the schedule's table as pg_cron does in production. A job that fell due while the stack was off runs once.
 *
 * @param sql - as `postgres`
 * @returns how to stop; the job that runs is waited for
 */
export function startScheduleTimer(sql: Sql): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;
  const report = createReport(signal);
  async function drive(): Promise<void> {
    while (!signal.aborted) {
      await runDue(sql, signal, report).then(
        () => report("schedule", null),
        (error) => report("schedule", error.message),
      );
      await sleep(TICK_MS, undefined, { signal }).catch(() => {});
    }
  }
  const ended = drive();
  return () => {
    stopping.abort();
    return ended;
  };
}

function createReport(signal: AbortSignal): Report {
  const reasons = new Map<string, string | null>();
  return (what, reason) => {
    if (reason && reason !== reasons.get(what) && !signal.aborted) console.error(`${what}: ${reason}`);
    reasons.set(what, reason);
  };
}

async function runDue(sql: Sql, signal: AbortSignal, report: Report): Promise<void> {
  const jobs = await sql<
    Job[]
  >`select name, cron, last_started_at from private.schedule where is_enabled order by name`;
  for (const job of jobs) {
    if (signal.aborted) return;
    const reason = await runIfDue(sql, job);
    if (reason !== undefined) report(`schedule: ${job.name}`, reason);
  }
}

/** Why a job failed, null when it ran well, undefined when its time has not come. */
async function runIfDue(sql: Sql, job: Job): Promise<string | null | undefined> {
  try {
    if (!isDue(job, new Date())) return;
  } catch (error) {
    return (error as Error).message;
  }
  await sql`select private.run_scheduled_job(${job.name})`;
  const [after] = await sql`select last_error from private.schedule where name = ${job.name}`;
  return after?.last_error ?? null;
}

/**
 * Whether a job's time has come since it last ran; one that never ran is due.
 *
 * @throws when it is no cron expression
 */
export function isDue({ cron, last_started_at }: Pick<Job, "cron" | "last_started_at">, now: Date): boolean {
  if (last_started_at === null) return true;
  const [, seconds] = /^(\d+) seconds?$/.exec(cron) ?? [];
  if (seconds) return now.getTime() - last_started_at.getTime() >= Number(seconds) * 1_000;
  const next = new Cron(cron, { timezone: "UTC", mode: "5-part" }).nextRun(last_started_at);
  return next !== null && next <= now;
}
