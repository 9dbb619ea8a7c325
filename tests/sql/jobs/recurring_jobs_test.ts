import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import { addType, claim, maintain } from "./jobs.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) =>
  Deno.test(
    name,
    rolledBack(database, async (sql) => {
      await addType(sql, "report");
      await body(sql);
    }),
  );

interface Settings {
  cron?: string;
  payload?: unknown;
  time_zone?: string;
  missed?: string;
  priority?: number | null;
  is_enabled?: boolean;
}

async function set(sql: TransactionSql, settings: Settings = {}, name = "nightly"): Promise<void> {
  const { cron = "30 2 * * *", payload = {}, time_zone = "Africa/Kigali" } = settings;
  const { missed = "once", priority = null, is_enabled = true } = settings;
  await sql`select public.set_recurring_job(
    name => ${name}, job_type => 'report', cron => ${cron}, payload => ${
    sql.json(payload as never)
  }, time_zone => ${time_zone},
    missed => ${missed}, priority => ${priority}, is_enabled => ${is_enabled})`;
}

/** Lets the next run have been so long ago. */
async function fallDue(sql: TransactionSql, ago: string): Promise<void> {
  await sql`update public.recurring_jobs set next_run_at = date_trunc('minute', now()) - ${ago}::interval`;
}

async function nextRun(sql: TransactionSql): Promise<string | null> {
  const [row] = await sql`
    select next_run_at = private.next_cron_time(cron, now(), time_zone) as is_next from public.recurring_jobs`;
  return row!.is_next;
}

async function jobCount(sql: TransactionSql): Promise<number> {
  return (await sql`select from public.background_jobs`).length;
}

test("a recurring job waits for its time, by the clocks of Kigali", async (sql) => {
  await set(sql);
  await maintain(sql);

  const [row] =
    await sql`select to_char(next_run_at at time zone 'UTC', 'HH24:MI') as at, next_run_at > now() as is_to_come
    from public.recurring_jobs`;
  assertEquals({ ...row }, { at: "00:30", is_to_come: true });
  assertEquals(await jobCount(sql), 0);
});

test("when its time comes it is scheduled once, and waits for the next", async (sql) => {
  await set(sql, { payload: { of: "day" }, priority: 2 });
  await fallDue(sql, "0");

  const first = await maintain(sql);
  await maintain(sql);

  assertEquals(first.scheduled, 1);
  const [job] = await sql`
    select job.job_type, job.job_name, job.payload, job.priority, job.state, job.scheduled_at = date_trunc('minute', now()) as is_slot,
      job.id = recurring.last_job_id as is_last
    from public.background_jobs as job, public.recurring_jobs as recurring`;
  assertEquals({ ...job }, {
    job_type: "report",
    job_name: "nightly",
    payload: { of: "day" },
    priority: 2,
    state: "ready",
    is_slot: true,
    is_last: true,
  });
  assertEquals(await jobCount(sql), 1);
  assertEquals(await nextRun(sql), true);
});

test("one time is one job, even when it comes round again", async (sql) => {
  await set(sql);
  await fallDue(sql, "0");
  await maintain(sql);
  await fallDue(sql, "0");
  await maintain(sql);

  assertEquals(await jobCount(sql), 1);
});

test("once: one run makes up for all that were missed", async (sql) => {
  await set(sql, { cron: "* * * * *", missed: "once" });
  await fallDue(sql, "3 hours");

  await maintain(sql);
  await maintain(sql);

  assertEquals(await jobCount(sql), 1);
  assertEquals(await nextRun(sql), true);
});

test("skip: what was missed stays missed", async (sql) => {
  await set(sql, { cron: "* * * * *", missed: "skip" });
  await fallDue(sql, "3 hours");

  const did = await maintain(sql);

  assertEquals([did.scheduled, await jobCount(sql)], [0, 0]);
  assertEquals(await nextRun(sql), true);
});

test("skip: a run within its minute is on time", async (sql) => {
  await set(sql, { missed: "skip" });
  await fallDue(sql, "0");

  assertEquals((await maintain(sql)).scheduled, 1);
});

test("repeating a definition moves no run that is due", async (sql) => {
  await set(sql);
  await fallDue(sql, "1 hour");

  await set(sql, { payload: { version: 2 } });
  await maintain(sql);

  const [job] = await claim(sql, { types: ["report"] });
  assertEquals(job?.payload, { version: 2 });
});

test("another calendar begins anew", async (sql) => {
  await set(sql);
  await fallDue(sql, "1 hour");

  await set(sql, { time_zone: "Europe/Paris" });

  assertEquals(await nextRun(sql), true);
});

test("what is disabled is not scheduled, and makes up for nothing when it is enabled again", async (sql) => {
  await set(sql);
  await fallDue(sql, "1 hour");
  await set(sql, { is_enabled: false });
  await maintain(sql);

  assertEquals(await jobCount(sql), 0);
  await set(sql);
  await maintain(sql);
  assertEquals(await jobCount(sql), 0);
  assertEquals(await nextRun(sql), true);
});

test("delete_recurring_job() ends it and keeps its jobs", async (sql) => {
  await set(sql);
  await fallDue(sql, "0");
  await maintain(sql);
  const remove = () => sql`select public.delete_recurring_job('nightly') as was_there`;

  assertEquals([(await remove())[0]!.was_there, (await remove())[0]!.was_there], [true, false]);
  assertEquals(await jobCount(sql), 1);
});

test("set_recurring_job() says what it cannot use", async (sql) => {
  for (
    const [settings, details] of [
      [{ cron: "61 * * * *" }, { argument: "cron", range: "minute" }],
      [{ cron: "* * * * mon#1" }, { argument: "cron", range: "day of the week" }],
      [{ cron: "@daily" }, { argument: "cron", range: "five fields are needed" }],
      [{ cron: "0 0 31 2 *" }, { argument: "cron", range: "a day that is to come" }],
      [{ time_zone: "Africa/Gotham" }, { argument: "time_zone" }],
      [{ time_zone: "CET+3" }, { argument: "time_zone" }],
      [{ priority: 10 }, { argument: "priority" }],
      [{ payload: "x".repeat(262_145) }, { argument: "payload" }],
    ] as const
  ) {
    assertEquals(await refusalOf(sql, (sql) => set(sql, settings)), ["invalid_argument", details]);
  }
  assertEquals((await refusalOf(sql, (sql) => set(sql, {}, "Not a name")))[1], { argument: "name" });
  const unknown = await refusalOf(sql, (sql) => sql`select public.set_recurring_job('x', 'none', '* * * * *')`);
  assertEquals((unknown[1] as { argument: string }).argument, "job_type");
});

test("the table itself keeps out what nobody can read", async (sql) => {
  const insert = (cron: string, zone: string) =>
    sqlStateOf(
      sql,
      (sql) =>
        sql`insert into public.recurring_jobs (name, job_type, cron, time_zone) values ('x', 'report', ${cron}, ${zone})`,
    );

  assertEquals(await insert("* * * *", "UTC"), "23514");
  assertEquals(await insert("* * * * *", "Gotham"), "23514");
  assertEquals(await insert("* * * * *", "CET+3"), "23514");
  assertEquals(await insert("* * * * *", "UTC"), "00000");
});

Deno.test("however many schedule at a time, each run is one job", async () => {
  const { sql, url } = await createTestDatabase();
  await addType(sql, "report");
  await sql`select public.set_recurring_job('every.' || n, 'report', '* * * * *') from generate_series(1, 30) as n`;
  await sql`update public.recurring_jobs set next_run_at = date_trunc('minute', now())`;
  const clients = Array.from({ length: 6 }, () => connect(url));

  const did = await Promise.all(clients.map((client) => maintain(client)));

  assertEquals(did.reduce((sum, { scheduled }) => sum + scheduled, 0), 30);
  const names = await sql`select distinct job_name from public.background_jobs`;
  assertEquals([names.length, (await sql`select from public.background_jobs`).length], [30, 30]);
  await Promise.all([sql, ...clients].map((client) => client.end()));
});
