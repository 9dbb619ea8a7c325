import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";

const database = await createTestDatabase();

async function plan(sql: TransactionSql, name: string, command: string, cron = "0 * * * *"): Promise<void> {
  await sql`insert into private.schedule (name, command, cron) values (${name}, ${command}, ${cron})`;
}

/** What the schedule uses of pg_cron 1.6, over tables. */
async function createCronStandIn(sql: TransactionSql): Promise<void> {
  await sql.unsafe(`
    create schema cron;
    create table cron.job (jobid bigint generated always as identity primary key, jobname text unique, schedule text not null, command text not null);
    create table cron.job_run_details (
      jobid bigint, runid bigint primary key, command text, status text, return_message text, start_time timestamptz, end_time timestamptz
    );
    create function cron.schedule(job_name text, schedule text, command text) returns bigint language sql as $$
      insert into cron.job (jobname, schedule, command) values ($1, $2, $3)
      on conflict (jobname) do update set schedule = excluded.schedule, command = excluded.command returning jobid $$;
    create function cron.unschedule(job_name text) returns boolean language plpgsql as $$
    begin
      delete from cron.job where jobname = job_name;
      if not found then raise 'could not find valid entry for job'; end if;
      return true;
    end $$;`).simple();
}

async function install(sql: TransactionSql): Promise<number> {
  const [row] = await sql`select private.install_schedule() as count`;
  return row!.count;
}

Deno.test(
  "install_schedule() does nothing without pg_cron",
  rolledBack(database, async (sql) => {
    assertEquals(await install(sql), 0);
  }),
);

Deno.test(
  "install_schedule() gives pg_cron every enabled job, as often as it is called",
  rolledBack(database, async (sql) => {
    await createCronStandIn(sql);
    await sql`delete from private.schedule`;
    await plan(sql, "greet", "select 1", "*/5 * * * *");
    await plan(sql, "rider's", "select 1", "10 seconds");
    await plan(sql, "off", "select 1");
    await sql`update private.schedule set is_enabled = false where name = 'off'`;
    await plan(sql, "tidy", "vacuum private.schedule");
    await sql`update private.schedule set is_top_level = true where name = 'tidy'`;

    assertEquals([await install(sql), await install(sql)], [3, 3]);

    assertEquals([...await sql`select jobname, schedule, command from cron.job order by jobname`], [
      { jobname: "greet", schedule: "*/5 * * * *", command: "select private.run_scheduled_job('greet')" },
      { jobname: "rider's", schedule: "10 seconds", command: "select private.run_scheduled_job('rider''s')" },
      { jobname: "tidy", schedule: "0 * * * *", command: "vacuum private.schedule /* private.schedule */" },
    ]);
  }),
);

Deno.test(
  "install_schedule() follows changes, and leaves other people's jobs alone",
  rolledBack(database, async (sql) => {
    await createCronStandIn(sql);
    await sql`select cron.schedule('backup', '0 3 * * *', 'select 1')`;
    await sql`delete from private.schedule`;
    for (const name of ["moves", "goes", "goes too", "sleeps", "stays"]) await plan(sql, name, "select 1", "1 1 * * *");
    await sql`update private.schedule set is_top_level = true where name = 'goes too'`;
    await install(sql);
    await sql`update private.schedule set cron = '2 2 * * *' where name = 'moves'`;
    await sql`update private.schedule set is_enabled = false where name = 'sleeps'`;
    await sql`delete from private.schedule where name like 'goes%'`;

    assertEquals(await install(sql), 2);

    assertEquals([...await sql`select jobname, schedule from cron.job order by jobname`], [
      { jobname: "backup", schedule: "0 3 * * *" },
      { jobname: "moves", schedule: "2 2 * * *" },
      { jobname: "stays", schedule: "1 1 * * *" },
    ]);
  }),
);

Deno.test(
  "what pg_cron was given runs the job",
  rolledBack(database, async (sql) => {
    await createCronStandIn(sql);
    await install(sql);

    const [job] = await sql`select command from cron.job where jobname = 'purge-rate-limits'`;
    await sql.unsafe(job!.command);

    const [health] = await sql`select last_started_at from public.schedule_health where name = 'purge-rate-limits'`;
    assertEquals(health!.last_started_at !== null, true);
  }),
);

interface Run {
  status: "running" | "succeeded" | "failed";
  message?: string;
  started?: string | null;
  /** How long ago it ended. */
  ended?: string | null;
}

let runs = 0;

async function logRun(sql: TransactionSql, name: string, run: Run): Promise<void> {
  const { status, message = null, started = run.ended ?? "1 second", ended = "0 seconds" } = run;
  await sql`
    insert into cron.job_run_details (jobid, runid, status, return_message, start_time, end_time)
    select jobid, ${++runs}, ${status}, ${message}, now() - ${started}::interval, now() - ${ended}::interval
    from cron.job where jobname = ${name}`;
}

async function collect(sql: TransactionSql): Promise<number> {
  const [row] = await sql`select private.collect_cron_runs() as count`;
  return row!.count;
}

Deno.test(
  "collect_cron_runs() does nothing without pg_cron",
  rolledBack(database, async (sql) => {
    assertEquals(await collect(sql), 0);
  }),
);

Deno.test(
  "collect_cron_runs() learns from pg_cron how top-level jobs went, each run once",
  rolledBack(database, async (sql) => {
    await createCronStandIn(sql);
    await plan(sql, "tidy", "vacuum private.schedule");
    await sql`update private.schedule set is_top_level = true where name = 'tidy'`;
    await install(sql);
    await logRun(sql, "tidy", { status: "failed", message: "ERROR: no", started: "3 minutes", ended: "2 minutes" });
    await logRun(sql, "tidy", { status: "succeeded", message: "VACUUM", started: "70 seconds", ended: "1 minute" });
    await logRun(sql, "tidy", { status: "running", ended: null });

    assertEquals([await collect(sql), await collect(sql)], [2, 0]);

    const [health] = await sql`
      select last_duration, last_error, failure_count::int from public.schedule_health where name = 'tidy'`;
    assertEquals({ ...health }, { last_duration: "00:00:10", last_error: null, failure_count: 1 });
  }),
);

Deno.test(
  "collect_cron_runs() tells of a job that pg_cron could not start, and believes later news of the job itself",
  rolledBack(database, async (sql) => {
    await createCronStandIn(sql);
    for (const name of ["cut off", "well again"]) await plan(sql, name, "select 1");
    await install(sql);
    for (const name of ["cut off", "well again"]) {
      await logRun(sql, name, {
        status: "failed",
        message: "connection failed",
        started: "2 minutes",
        ended: "2 minutes",
      });
    }
    await sql`select private.run_scheduled_job('well again')`;
    await logRun(sql, "well again", { status: "succeeded" });

    assertEquals(await collect(sql), 2);

    const health = await sql`
      select name, last_error, failure_count::int from public.schedule_health where failure_count > 0 order by name`;
    assertEquals([...health], [
      { name: "cut off", last_error: "connection failed", failure_count: 1 },
      { name: "well again", last_error: null, failure_count: 1 },
    ]);
  }),
);

Deno.test(
  "collect_cron_runs() prunes pg_cron's records: good ones after an hour, all after a week",
  rolledBack(database, async (sql) => {
    await createCronStandIn(sql);
    await plan(sql, "greet", "select 1");
    await install(sql);
    await logRun(sql, "greet", { status: "failed", message: "never started", started: null, ended: null });
    await logRun(sql, "greet", { status: "failed", message: "old", ended: "8 days" });
    await logRun(sql, "greet", { status: "failed", message: "recent", ended: "6 days" });
    await logRun(sql, "greet", { status: "succeeded", message: "old", ended: "2 hours" });
    await logRun(sql, "greet", { status: "succeeded", message: "recent", ended: "30 minutes" });
    await logRun(sql, "greet", { status: "running", message: "runs", ended: null });

    await collect(sql);

    const kept = await sql`select status, return_message from cron.job_run_details order by runid`;
    assertEquals(kept.map((row) => `${row.status} ${row.return_message}`), [
      "failed recent",
      "succeeded recent",
      "running runs",
    ]);
  }),
);
