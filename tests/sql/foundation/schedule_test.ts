import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";

const database = await createTestDatabase();

async function plan(sql: TransactionSql, name: string, command: string, cron = "0 * * * *"): Promise<void> {
  await sql`insert into private.schedule (name, command, cron) values (${name}, ${command}, ${cron})`;
}

async function run(sql: TransactionSql, name: string): Promise<boolean> {
  const [row] = await sql`select private.run_scheduled_job(${name}) as went_well`;
  return row!.went_well;
}

interface Health {
  has_run: boolean;
  last_error: string | null;
  failure_count: number;
}

async function healthOf(sql: TransactionSql, name: string): Promise<Health> {
  const [row] = await sql<[Health]>`
    select last_started_at is not null and last_duration >= interval '0' as has_run, last_error, failure_count::int
    from public.schedule_health where name = ${name}`;
  return { ...row };
}

Deno.test(
  "run_scheduled_job() runs the command and keeps that it went well",
  rolledBack(database, async (sql) => {
    await plan(sql, "greet", "create table public.greeted ()");

    assertEquals(await run(sql, "greet"), true);

    assertEquals(await healthOf(sql, "greet"), { has_run: true, last_error: null, failure_count: 0 });
    assertEquals((await sql`select from public.greeted`).length, 0);
  }),
);

Deno.test(
  "run_scheduled_job() keeps why a command failed, undoes its work, and runs it again",
  rolledBack(database, async (sql) => {
    await sql`create table public.greeted (name text)`;
    await plan(
      sql,
      "greet",
      "with work as (insert into public.greeted values ('x') returning 1) select 1 / 0 from work",
    );

    assertEquals([await run(sql, "greet"), await run(sql, "greet")], [false, false]);
    assertEquals(await healthOf(sql, "greet"), {
      has_run: true,
      last_error: "22012 division by zero",
      failure_count: 2,
    });
    assertEquals((await sql`select from public.greeted`).length, 0);

    await sql`update private.schedule set command = 'select 1' where name = 'greet'`;
    assertEquals(await run(sql, "greet"), true);
    assertEquals(await healthOf(sql, "greet"), { has_run: true, last_error: null, failure_count: 2 });
  }),
);

for (
  const [what, command, state] of [
    ["a refusal", "select private.refuse('invalid_argument')", "PGRST"],
    ["an unknown function", "select no_such_function()", "42883"],
    ["no SQL at all", "every minute", "42601"],
    ["a commit", "commit", "0A000"],
    ["a failed assertion", "do $$ begin assert false; end $$", "P0004"],
  ] as const
) {
  Deno.test(
    `run_scheduled_job() keeps ${what} as a failure`,
    rolledBack(database, async (sql) => {
      await plan(sql, "job", command);

      assertEquals(await run(sql, "job"), false);

      assertEquals((await healthOf(sql, "job")).last_error?.split(" ")[0], state);
    }),
  );
}

Deno.test(
  "run_scheduled_job() keeps a timeout as a failure",
  rolledBack(database, async (sql) => {
    await plan(sql, "slow", "select pg_sleep(60)");
    await sql`set local statement_timeout = '50ms'`;

    assertEquals(await run(sql, "slow"), false);

    assertEquals((await healthOf(sql, "slow")).last_error?.split(" ")[0], "57014");
  }),
);

Deno.test(
  "run_scheduled_job() fails for a name that is not in the schedule",
  rolledBack(database, async (sql) => {
    assertEquals(await sqlStateOf(sql, (sql) => run(sql, "no-such-job")), "P0002");
  }),
);

Deno.test(
  "every job of the schedule runs",
  rolledBack(database, async (sql) => {
    for (const { name } of await sql`select name from private.schedule`) {
      assertEquals([name, await run(sql, name), (await healthOf(sql, name)).last_error], [name, true, null]);
    }
  }),
);

Deno.test(
  "the schedule takes five fields or 1 to 59 seconds, as pg_cron does",
  rolledBack(database, async (sql) => {
    for (const cron of ["* * * * *", "*/5 0-6 1,15 * 1", "1 second", "59 seconds"]) {
      assertEquals(await sqlStateOf(sql, (sql) => plan(sql, "job-" + cron, "select 1", cron)), "00000", cron);
    }
    for (const cron of ["", "* * * *", "* * * * * *", "0 seconds", "60 seconds", "5 minutes", "@daily"]) {
      assertEquals(await sqlStateOf(sql, (sql) => plan(sql, "job-" + cron, "select 1", cron)), "23514", cron);
    }
  }),
);

/** What install_schedule() uses of pg_cron 1.6, over a table. */
async function createCronStandIn(sql: TransactionSql): Promise<void> {
  await sql.unsafe(`
    create schema cron;
    create table cron.job (jobid bigint generated always as identity primary key, jobname text unique, schedule text not null, command text not null);
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

    assertEquals([await install(sql), await install(sql)], [2, 2]);

    assertEquals([...await sql`select jobname, schedule, command from cron.job order by jobname`], [
      { jobname: "greet", schedule: "*/5 * * * *", command: "select private.run_scheduled_job('greet')" },
      { jobname: "rider's", schedule: "10 seconds", command: "select private.run_scheduled_job('rider''s')" },
    ]);
  }),
);

Deno.test(
  "install_schedule() follows changes, and leaves other people's jobs alone",
  rolledBack(database, async (sql) => {
    await createCronStandIn(sql);
    await sql`select cron.schedule('backup', '0 3 * * *', 'select 1')`;
    await sql`delete from private.schedule`;
    for (const name of ["moves", "goes", "sleeps", "stays"]) await plan(sql, name, "select 1", "1 1 * * *");
    await install(sql);
    await sql`update private.schedule set cron = '2 2 * * *' where name = 'moves'`;
    await sql`update private.schedule set is_enabled = false where name = 'sleeps'`;
    await sql`delete from private.schedule where name = 'goes'`;

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

    assertEquals((await healthOf(sql, "purge-rate-limits")).has_run, true);
  }),
);

Deno.test(
  "the schedule is the service's to see and nobody's to change",
  rolledBack(database, async (sql) => {
    for (const role of ["anon", "authenticated"] as const) {
      const look = (sql: TransactionSql) => as(sql, role, {}, (sql) => sql`select from public.schedule_health`);
      assertEquals(await sqlStateOf(sql, look), "42501");
    }
    const served = await as(sql, "service_role", {}, (sql) => sql`select name from public.schedule_health`);
    assertEquals(served.length > 0, true);
    for (const role of ["anon", "authenticated", "service_role"] as const) {
      for (const command of ["select private.run_scheduled_job('purge-rate-limits')", "delete from private.schedule"]) {
        const state = await sqlStateOf(sql, (sql) => as(sql, role, {}, (sql) => sql.unsafe(command)));
        assertEquals(state, "42501", `${role} ${command}`);
      }
    }
  }),
);
