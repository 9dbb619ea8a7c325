import { assertEquals } from "@std/assert";
import { jobs } from "../../../supabase/functions/worker/jobs.ts";
import { addHandler, schedule, stateOf } from "../../sql/jobs/jobs.ts";
import { workerTest } from "./worker.ts";

const GREET = "insert into public.greetings values (payload, private.correlation_id()); return null;";

workerTest(
  "the worker runs the SQL functions of jobs that are due, with their correlation ids",
  async ({ sql, run }) => {
    await sql`create table public.greetings (name jsonb, correlation_id text)`;
    await addHandler(sql, "greet", GREET);
    await addHandler(sql, "fall", "raise 'no paper';");
    const greeted = await schedule(sql, "greet", { payload: "Aline" });
    const fallen = await schedule(sql, "fall");
    await schedule(sql, "greet", { payload: "later", scheduled_at: new Date(Date.now() + 60_000) });

    const report = await run((call) => [jobs(call)]);

    const { done, failed, lost, left, more } = report.sources.jobs!;
    assertEquals({ done, failed, lost, left, more }, { done: 1, failed: 1, lost: 0, left: 0, more: false });
    assertEquals([...await sql`select * from public.greetings`], [{ name: "Aline", correlation_id: greeted.job_id }]);
    assertEquals([await stateOf(sql, greeted.job_id), await stateOf(sql, fallen.job_id)], ["succeeded", "scheduled"]);
  },
);

workerTest("however many runs there are, each job is run once", async ({ sql, run }) => {
  await sql`create table public.greetings (name jsonb, correlation_id text)`;
  await addHandler(sql, "greet", GREET);
  await sql`select public.schedule_job('greet', payload => to_jsonb(n)) from generate_series(1, 60) as n`;

  const reports = await Promise.all(Array.from({ length: 4 }, () => run((call) => [jobs(call)])));

  assertEquals(reports.reduce((sum, { sources }) => sum + sources.jobs!.done, 0), 60);
  const [row] = await sql`select count(*)::int as count, count(distinct name)::int as names from public.greetings`;
  assertEquals({ ...row }, { count: 60, names: 60 });
});
