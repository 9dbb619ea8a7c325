import { assertEquals, assertThrows } from "@std/assert";
import { connect } from "../../scripts/stack/connection.ts";
import { isDue, startScheduleTimer } from "../../scripts/stack/schedule_timer.ts";
import type { Sql } from "postgres";
import { createTestDatabase } from "../support/database.ts";
import { captureLog } from "../support/log_lines.ts";
import { untilSomebodyWaits } from "../sql/foundation/waiting.ts";

const log = captureLog();

for (
  const [cron, last, now, expected] of [
    ["*/5 * * * *", "2026-11-30T10:04:59Z", "2026-11-30T10:04:59.9Z", false],
    ["*/5 * * * *", "2026-11-30T10:04:59Z", "2026-11-30T10:05:00Z", true],
    ["*/5 * * * *", "2026-11-30T10:05:00.2Z", "2026-11-30T10:09:59Z", false],
    ["10 0 * * *", "2026-11-30T00:10:01Z", "2026-12-01T00:09:00Z", false],
    ["10 0 * * *", "2026-11-30T00:10:01Z", "2026-12-01T00:10:00Z", true],
    ["40 1 2 * *", "2026-11-02T01:40:00Z", "2026-12-02T01:39:00Z", false],
    ["40 1 2 * *", "2026-11-02T01:40:00Z", "2026-12-02T01:40:00Z", true],
    ["0 6 * * 1", "2026-11-30T06:00:00Z", "2026-12-06T23:59:00Z", false],
    ["0 6 * * 1", "2026-11-30T06:00:00Z", "2026-12-07T06:00:00Z", true],
    ["0 6 * * 0", "2026-11-29T06:00:00Z", "2026-12-06T06:00:00Z", true],
    ["0 0 29 2 *", "2027-03-01T00:00:00Z", "2028-02-28T23:59:00Z", false],
    ["0 0 29 2 *", "2027-03-01T00:00:00Z", "2028-02-29T00:00:00Z", true],
    ["0 0 1 1-3,7 *", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z", true],
    ["0 0 13 * 5", "2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z", true],
    ["5 seconds", "2026-11-30T10:00:00Z", "2026-11-30T10:00:04.9Z", false],
    ["5 seconds", "2026-11-30T10:00:00Z", "2026-11-30T10:00:05Z", true],
    ["1 second", "2026-11-30T10:00:00Z", "2026-11-30T10:00:01Z", true],
    ["10 0 * * *", null, "2026-11-30T10:00:00Z", true],
    ["10 0 * * *", "2026-11-01T00:10:00Z", "2026-11-30T10:00:00Z", true],
    ["10 0 * * *", "2026-12-01T00:00:00Z", "2026-11-30T10:00:00Z", false],
  ] as const
) {
  Deno.test(`isDue() at ${now}, of ${cron} last run ${last ?? "never"}: ${expected}`, () => {
    assertEquals(isDue({ cron, last_started_at: last && new Date(last) }, new Date(now)), expected);
  });
}

Deno.test("isDue() throws for what pg_cron would not take", () => {
  for (const cron of ["", "* * * *", "61 * * * *", "0 0 32 * *", "every minute", "* * * * * *", "5 hours"]) {
    assertThrows(() => isDue({ cron, last_started_at: new Date(0) }, new Date()));
  }
});

interface Job {
  name: string;
  /** Yearly, if nothing is said. */
  cron?: string;
  /** Leaves a row in `runs`, if nothing is said. */
  command?: string;
  /** How long ago it ran. */
  last?: string;
}

/** A database whose schedule holds only `jobs`, and how to start the timer on it; `start` gives how to stop it. */
function timerTest(
  name: string,
  jobs: Job[],
  body: (sql: Sql, start: () => () => Promise<void>) => Promise<void>,
): void {
  Deno.test({ name, sanitizeOps: true, sanitizeResources: true, fn });

  async function fn(): Promise<void> {
    const database = await createTestDatabase();
    const [sql, timerConnection] = [database.sql, connect(database.url)];
    await sql`create table public.runs (name text)`;
    await sql`delete from private.schedule`;
    for (
      const { name, cron = "0 0 1 1 *", command = `insert into public.runs values ('${name}')`, last = null } of jobs
    ) {
      await sql`insert into private.schedule (name, cron, command, last_started_at)
        values (${name}, ${cron}, ${command}, now() - ${last}::interval)`;
    }
    log.clear();
    let stop = () => Promise.resolve();
    try {
      await body(sql, () => stop = startScheduleTimer(timerConnection));
    } finally {
      await stop();
      await Promise.all([sql.end(), timerConnection.end()]);
    }
  }
}

/** Waits until a job has run so often. */
async function untilRun(sql: Sql, name: string, times = 1): Promise<void> {
  while (await runsOf(sql, name) < times) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function runsOf(sql: Sql, name: string): Promise<number> {
  const [row] = await sql`select count(*)::int as count from public.runs where name = ${name}`;
  return row!.count;
}

const CLOCK = { name: "clock", cron: "1 second" };

timerTest("the timer runs what never ran, and again when its time comes", [CLOCK], async (sql, start) => {
  start();
  await untilRun(sql, "clock", 2);

  const [health] = await sql`select last_error, failure_count::int from public.schedule_health where name = 'clock'`;
  assertEquals({ ...health }, { last_error: null, failure_count: 0 });
});

timerTest("the timer runs once what was missed many times", [
  CLOCK,
  { name: "daily", cron: "0 0 * * *", last: "30 days" },
], async (sql, start) => {
  start();
  await untilRun(sql, "daily");
  await untilRun(sql, "clock", 2);

  assertEquals(await runsOf(sql, "daily"), 1);
});

timerTest("the timer leaves out what is switched off or not due", [
  CLOCK,
  { name: "yearly", last: "0 days" },
  { name: "off" },
], async (sql, start) => {
  await sql`update private.schedule set is_enabled = false where name = 'off'`;
  start();
  await untilRun(sql, "clock", 2);

  assertEquals([await runsOf(sql, "yearly"), await runsOf(sql, "off")], [0, 0]);
});

timerTest("an expression that cannot be read is named once and holds up nobody", [
  { name: "bad", cron: "99 * * * *", last: "1 day" },
  CLOCK,
], async (sql, start) => {
  start();
  await untilRun(sql, "clock", 2);

  assertEquals(log.raw.map((line) => line.split(": ", 2).join(": ")), ["schedule: bad"]);
});

timerTest("a job that fails is named once for each reason and holds up nobody", [
  { name: "broken", cron: "1 second", command: "select 1 / 0" },
  CLOCK,
], async (sql, start) => {
  start();
  await untilRun(sql, "clock", 2);
  const said = log.raw.length;
  await sql`update private.schedule set command = 'select no_such_function()' where name = 'broken'`;
  await untilRun(sql, "clock", 4);

  assertEquals(log.raw.map((line) => line.slice(0, 23)), ["schedule: broken: 22012", "schedule: broken: 42883"]);
  assertEquals(said, 1);
});

timerTest("the timer goes on after the database was away", [CLOCK], async (sql, start) => {
  start();
  await untilRun(sql, "clock");
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`;

  await untilRun(sql, "clock", await runsOf(sql, "clock") + 1);
});

timerTest("stopping waits for the job that runs, and starts no other", [
  { name: "a long one", command: "select pg_advisory_xact_lock(250788)" },
  { name: "later" },
], async (sql, start) => {
  const gate = await sql.reserve();
  await gate`select pg_advisory_lock(250788)`;
  const stop = start();
  await untilSomebodyWaits(gate);

  const stopped = stop();
  const first = await Promise.race([stopped.then(() => "stopped"), gate`select 1`.then(() => "still running")]);
  await gate`select pg_advisory_unlock(250788)`;
  gate.release();
  await stopped;

  assertEquals(first, "still running");
  const rows = await sql`select name from private.schedule where last_finished_at is not null`;
  assertEquals(rows.map((row) => row.name), ["a long one"]);
});
