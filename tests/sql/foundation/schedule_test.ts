import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
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

Deno.test("run_scheduled_job() does not run a job beside itself", async () => {
  const { sql, url } = await createTestDatabase();
  const other = connect(url);
  await sql`insert into private.schedule (name, cron, command) values ('greet', '1 second', 'select 1')`;

  const beside = await sql.begin(async (sql) => {
    await run(sql, "greet");
    const [row] = await other`select private.run_scheduled_job('greet') as went_well`;
    return row!.went_well;
  });

  assertEquals(beside, null);
  assertEquals((await other`select private.run_scheduled_job('greet') as went_well`)[0]!.went_well, true);
  await Promise.all([sql.end(), other.end()]);
});

for (
  const [cron, last, now, expected] of [
    ["*/5 * * * *", "2026-11-30T10:04:59Z", "2026-11-30T10:04:59.9Z", false],
    ["*/5 * * * *", "2026-11-30T10:04:59Z", "2026-11-30T10:05:00Z", true],
    ["10 0 * * *", "2026-11-30T00:10:01Z", "2026-12-01T00:09:00Z", false],
    ["10 0 * * *", "2026-11-30T00:10:01Z", "2026-12-01T00:10:00Z", true],
    ["10 0 * * *", "2026-11-01T00:10:00Z", "2026-11-30T10:00:00Z", true],
    ["10 0 * * *", "2026-12-01T00:00:00Z", "2026-11-30T10:00:00Z", false],
    ["5 seconds", "2026-11-30T10:00:00Z", "2026-11-30T10:00:04.9Z", false],
    ["5 seconds", "2026-11-30T10:00:00Z", "2026-11-30T10:00:05Z", true],
    ["1 second", "2026-11-30T10:00:00Z", "2026-11-30T10:00:01Z", true],
  ] as const
) {
  Deno.test(
    `at ${now}, ${cron} last run ${last} is due: ${expected}`,
    rolledBack(database, async (sql) => {
      const [row] = await sql`select private.next_scheduled_run(${cron}, ${last}) <= ${now}::timestamptz as is_due`;

      assertEquals(row!.is_due, expected);
    }),
  );
}

Deno.test(
  "due_schedule() gives what has never run or is due, if it is enabled",
  rolledBack(database, async (sql) => {
    await sql`delete from private.schedule`;
    for (const name of ["due", "early", "new", "off"]) await plan(sql, name, "select 1", "30 seconds");
    await sql`update private.schedule set last_started_at = now() - interval '1 minute' where name in ('due', 'off')`;
    await sql`update private.schedule set last_started_at = now() where name = 'early'`;
    await sql`update private.schedule set is_enabled = false where name = 'off'`;

    assertEquals((await sql`select name from private.due_schedule()`).map(({ name }) => name), ["new", "due"]);
  }),
);

Deno.test(
  "schedule_health tells what is late: stuck, or never begun",
  rolledBack(database, async (sql) => {
    await sql`delete from private.schedule`;
    for (const name of ["new", "never", "punctual", "stuck", "off"]) await plan(sql, name, "select 1", "10 seconds");
    await sql`update private.schedule set created_at = now() - interval '1 hour' where name <> 'new'`;
    await sql`update private.schedule set last_started_at = now() - interval '15 seconds' where name = 'punctual'`;
    await sql`update private.schedule set last_started_at = now() - interval '5 minutes' where name in ('stuck', 'off')`;
    await sql`update private.schedule set is_enabled = false where name = 'off'`;

    const late = await sql`select name from public.schedule_health where is_late order by name`;
    assertEquals(late.map(({ name }) => name), ["never", "stuck"]);
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
    for (const { name } of await sql`select name from private.schedule where not is_top_level`) {
      assertEquals([name, await run(sql, name), (await healthOf(sql, name)).last_error], [name, true, null]);
    }
  }),
);

Deno.test("every top-level job of the schedule runs outside a transaction", async () => {
  for (const { command } of await database.sql`select command from private.schedule where is_top_level`) {
    await database.sql.unsafe(command).simple();
  }
});

Deno.test(
  "the schedule takes five fields or 1 to 59 seconds, as pg_cron does",
  rolledBack(database, async (sql) => {
    for (const cron of ["* * * * *", "*/5 0-6 1,15 * 1", "1 second", "59 seconds"]) {
      assertEquals(await sqlStateOf(sql, (sql) => plan(sql, "job-" + cron, "select 1", cron)), "00000", cron);
    }
    for (const cron of ["", "* * * *", "99 * * * *", "* * * * * *", "0 seconds", "60 seconds", "5 minutes", "@daily"]) {
      assertEquals(await sqlStateOf(sql, (sql) => plan(sql, "job-" + cron, "select 1", cron)), "23514", cron);
    }
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
