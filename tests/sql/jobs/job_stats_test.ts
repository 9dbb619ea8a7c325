import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { addType, claimOne, complete, fail, schedule } from "./jobs.ts";

const database = await createTestDatabase();

Deno.test(
  "background_job_stats counts the jobs of each type by state, with what waits longest and what failed last",
  rolledBack(database, async (sql) => {
    await addType(sql, "letter");
    await addType(sql, "report");
    for (let jobs = 0; jobs < 2; jobs++) {
      await schedule(sql, "letter");
      await complete(sql, await claimOne(sql, "letter"));
    }
    await sql`update public.background_jobs set finished_at = now() - interval '2 hours'
      where id = (select id from public.background_jobs limit 1)`;
    await schedule(sql, "letter");
    await fail(sql, await claimOne(sql, "letter"), { isFinal: true, error: "no address" });
    await sql`update public.background_jobs set finished_at = now() - interval '2 days' where state = 'failed'`;
    await schedule(sql, "letter");
    await fail(sql, await claimOne(sql, "letter"), { error: "no paper" });
    await schedule(sql, "letter");
    await claimOne(sql, "letter");
    await schedule(sql, "letter", { scheduled_at: new Date(Date.now() - 60_000), priority: 9 });
    await schedule(sql, "letter");
    const cancelled = await schedule(sql, "report");
    await sql`select public.cancel_job(${cancelled.job_id})`;

    const stats = await sql`
      select job_type, state, job_count::int, oldest_ready_age > interval '59 seconds' as is_old, last_error
      from public.background_job_stats order by job_type, state`;

    assertEquals([...stats], [
      { job_type: "letter", state: "scheduled", job_count: 1, is_old: null, last_error: "no paper" },
      { job_type: "letter", state: "ready", job_count: 2, is_old: true, last_error: null },
      { job_type: "letter", state: "running", job_count: 1, is_old: null, last_error: null },
      { job_type: "letter", state: "succeeded", job_count: 1, is_old: null, last_error: null },
      { job_type: "letter", state: "failed", job_count: 1, is_old: null, last_error: "no address" },
      { job_type: "report", state: "cancelled", job_count: 1, is_old: null, last_error: null },
    ]);
  }),
);
