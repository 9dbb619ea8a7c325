import { Cron } from "croner";
import type { Sql } from "postgres";

interface Job {
  name: string;
  cron: string;
  last_started_at: Date | null;
}

const TICK_MS = 1_000;

/**
 * Drives the schedule's table as pg_cron does in production. A job that fell due while the stack was off runs once.
 *
 * @param sql - as `postgres`
 * @returns how to stop; the job that runs is waited for
 */
export function startScheduleTimer(sql: Sql): () => Promise<void> {
  let isStopped = false;
  let wake = () => {};
  async function drive(): Promise<void> {
    while (!isStopped) {
      await runDue(sql).catch((error) => console.error(`schedule: ${error.message}`));
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, isStopped ? 0 : TICK_MS);
      });
    }
  }
  const ended = drive();
  return () => {
    isStopped = true;
    wake();
    return ended;
  };
}

async function runDue(sql: Sql): Promise<void> {
  const jobs = await sql<Job[]>`select name, cron, last_started_at from private.schedule where is_enabled`;
  for (const job of jobs.filter((job) => isDue(job, new Date()))) {
    await sql`select private.run_scheduled_job(${job.name})`;
  }
}

/** Whether a job's time has come since it last ran; one that never ran is due. */
export function isDue({ cron, last_started_at }: Pick<Job, "cron" | "last_started_at">, now: Date): boolean {
  if (last_started_at === null) return true;
  const [, seconds] = /^(\d+) seconds?$/.exec(cron) ?? [];
  if (seconds) return now.getTime() - last_started_at.getTime() >= Number(seconds) * 1_000;
  const next = new Cron(cron, { timezone: "UTC" }).nextRun(last_started_at);
  return next !== null && next <= now;
}
