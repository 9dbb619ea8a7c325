import { setTimeout as sleep } from "node:timers/promises";
import type { Sql } from "postgres";
import { connect } from "./connection.ts";

interface Job {
  name: string;
  command: string;
  is_top_level: boolean;
}

/** Prints what is wrong with something, once until it changes; null means that it is well. */
type Report = (what: string, reason: string | null) => void;

const TICK_MS = 1_000;
const MOST_AT_ONCE = 4;

/**
 * Drives the schedule's table as pg_cron does in production: each run on a connection of its own, jobs beside each
 * other, none beside itself. A job that fell due while the stack was off runs once.
 *
 * @param url - the database, as `postgres`
 * @returns how to stop; the jobs that run are waited for
 */
export function startScheduleTimer(url: string): () => Promise<void> {
  const sql = open(url);
  const stopping = new AbortController();
  const { signal } = stopping;
  const report = createReport(signal);
  const running = new Map<string, Promise<void>>();

  async function startDue(): Promise<void> {
    for (const job of await sql<Job[]>`select name, command, is_top_level from private.due_schedule()`) {
      if (signal.aborted || running.size >= MOST_AT_ONCE) return;
      if (running.has(job.name)) continue;
      const ended = run(url, job)
        .catch((error) => error.message)
        .then((reason) => report(`schedule: ${job.name}`, reason))
        .finally(() => running.delete(job.name));
      running.set(job.name, ended);
    }
  }

  async function drive(): Promise<void> {
    while (!signal.aborted) {
      await startDue().then(
        () => report("schedule", null),
        (error) => report("schedule", error.message),
      );
      await sleep(TICK_MS, undefined, { signal }).catch(() => {});
    }
    await Promise.all([...running.values(), sql.end({ timeout: 1 })]);
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

/** A connection that asks for nothing by itself: postgres.js catches nothing when that is lost with its connection. */
function open(url: string): Sql {
  return connect(url, { fetch_types: false });
}

/** Why a job failed, null when it ran well. */
async function run(url: string, job: Job): Promise<string | null> {
  const sql = open(url);
  try {
    if (job.is_top_level) await runTopLevel(sql, job);
    else await sql`select private.run_scheduled_job(${job.name})`;
    const [after] = await sql`select last_error from private.schedule where name = ${job.name}`;
    return after?.last_error ?? null;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Runs what no transaction may hold, which therefore cannot keep how it went itself. */
async function runTopLevel(sql: Sql, { name, command }: Job): Promise<void> {
  const startedAt = new Date();
  const error = await sql.unsafe(command).simple().then(() => null, ({ code, message }) => `${code} ${message}`);
  await sql`select private.record_scheduled_run(${name}, ${startedAt}, clock_timestamp(), ${error})`;
}
