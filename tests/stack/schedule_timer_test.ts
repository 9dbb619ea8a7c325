import { assertEquals } from "@std/assert";
import { startScheduleTimer } from "../../scripts/stack/schedule_timer.ts";
import type { Sql } from "postgres";
import { createTestDatabase } from "../support/database.ts";
import { captureLog } from "../support/log_lines.ts";
import { untilSomebodyWaits } from "../sql/foundation/waiting.ts";
import { until } from "../support/until.ts";

const log = captureLog();

interface Job {
  name: string;
  /** Yearly, if nothing is said. */
  cron?: string;
  /** Leaves a row in `runs`, if nothing is said. */
  command?: string;
  /** How long ago it ran. */
  last?: string;
  isTopLevel?: boolean;
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
    const { sql, url } = database;
    await sql`create table public.runs (name text)`;
    await sql`delete from private.schedule`;
    for (
      const {
        name,
        cron = "0 0 1 1 *",
        command = `insert into public.runs values ('${name}')`,
        last = null,
        isTopLevel = false,
      } of jobs
    ) {
      await sql`insert into private.schedule (name, cron, command, last_started_at, is_top_level)
        values (${name}, ${cron}, ${command}, now() - ${last}::interval, ${isTopLevel})`;
    }
    log.clear();
    let stop = () => Promise.resolve();
    try {
      await body(sql, () => stop = startScheduleTimer(url));
    } finally {
      await stop();
      await sql.end();
    }
  }
}

/** Waits until a job has run so often. */
async function untilRun(sql: Sql, name: string, times = 1): Promise<void> {
  await until(async () => await runsOf(sql, name) >= times, `${name} has run`);
}

async function runsOf(sql: Sql, name: string): Promise<number> {
  const [row] = await sql`select count(*)::int as count from public.runs where name = ${name}`;
  return row!.count;
}

const CLOCK = { name: "clock", cron: "1 second" };
const LONG = { name: "long", command: "select pg_advisory_xact_lock(250788)" };

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
    where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`;

  await untilRun(sql, "clock", await runsOf(sql, "clock") + 1);
});

timerTest("a long job holds up nobody and is not started beside itself", [
  { ...LONG, cron: "1 second" },
  CLOCK,
], async (sql, start) => {
  const gate = await sql.reserve();
  await gate`select pg_advisory_lock(250788)`;
  start();
  await untilSomebodyWaits(gate);
  const clock = await runsOf(gate, "clock");
  await until(async () => await runsOf(gate, "clock") >= clock + 2, "the clock has run twice");

  const [waiting] = await gate`select count(*)::int as count from pg_locks where not granted and locktype = 'advisory'`;
  await gate`select pg_advisory_unlock(250788)`;
  gate.release();
  assertEquals(waiting!.count, 1);
});

timerTest("the timer runs what cannot run in a transaction, and keeps how it went", [
  { name: "tidy", command: "vacuum public.runs", isTopLevel: true },
  { name: "vain", command: "vacuum public.nothing", isTopLevel: true },
  CLOCK,
], async (sql, start) => {
  start();
  await untilRun(sql, "clock", 2);

  const health = await sql`
    select name, last_error, failure_count::int, last_duration >= '0' as has_run
    from public.schedule_health where name <> 'clock' order by name`;
  assertEquals([...health], [
    { name: "tidy", last_error: null, failure_count: 0, has_run: true },
    { name: "vain", last_error: '42P01 relation "public.nothing" does not exist', failure_count: 1, has_run: true },
  ]);
});

timerTest("stopping waits for the job that runs, and starts no other", [LONG, CLOCK], async (sql, start) => {
  const gate = await sql.reserve();
  await gate`select pg_advisory_lock(250788)`;
  const stop = start();
  await untilSomebodyWaits(gate);

  const stopped = stop();
  const first = await Promise.race([stopped.then(() => "stopped"), gate`select 1`.then(() => "still running")]);
  const ticks = await runsOf(gate, "clock");
  await gate`select pg_advisory_unlock(250788)`;
  gate.release();
  await stopped;

  assertEquals(first, "still running");
  assertEquals(await runsOf(sql, "clock") <= ticks + 1, true);
  const [long] =
    await sql`select last_finished_at is not null as has_run from private.schedule where name = ${LONG.name}`;
  assertEquals(long!.has_run, true);
});
