import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { asOperator } from "../configuration/configurations.ts";
import { register } from "./services.ts";

const database = await createTestDatabase();
Deno.test.afterAll(() => database.sql.end());

function test(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, body));
}

async function route(
  sql: TransactionSql,
  service = "rides",
  { type = "rides.match", path = "/jobs" } = {},
): Promise<string> {
  try {
    await sql.savepoint((inner) =>
      inner`select public.handle_jobs_by_service(${type}, ${service}, ${path}, 'Finds drivers')`
    );
    return "done";
  } catch (error) {
    return JSON.parse((error as Error).message).code;
  }
}

test("handle_jobs_by_service() gives a type to one service, and leaves what others do alone", async (sql) => {
  await sql`
    insert into public.job_types (job_type, description, handler)
    values ('outside.work', 'by somebody else', null), ('own.work', 'by a function', 'pg_catalog.jsonb_strip_nulls')`;

  assertEquals([await route(sql), await route(sql)], ["done", "done"]);
  assertEquals(await route(sql, "maps"), "job_type_taken");
  assertEquals(await route(sql, "rides", { type: "outside.work" }), "job_type_taken");
  assertEquals(await route(sql, "rides", { type: "own.work" }), "job_type_taken");
});

test("handle_jobs_by_service() takes paths that lead to nowhere else", async (sql) => {
  for (const path of ["", "jobs", "//other.example.com", "/a/../b", "/.", "/a?b=c", "/a#b", "/a b", "/@x", "/a/"]) {
    assertEquals([path, await route(sql, "rides", { path })], [path, "invalid_argument"]);
  }
  assertEquals(await route(sql, "rides", { path: "/v1/jobs.match~2" }), "done");
});

test("registered operators route jobs and rotate secrets; others may not", async (sql) => {
  const rotate = (own: TransactionSql) => own`select public.rotate_service_secret('rides') as secret`;

  assertEquals(await asOperator(sql, (own) => route(own)), "done");
  assertEquals(await asOperator(sql, (own) => route(own), false), "operator_required");
  assertEquals((await asOperator(sql, rotate))[0]!.secret.slice(0, 6), "whsec_");
  assertEquals(await asOperator(sql, (own) => sqlStateOf(own, rotate), false), "PGRST");
});

test("rotate_service_secret() stands in the audit log, without the secret", async (sql) => {
  const [{ secret } = { secret: "" }] = await sql`select public.rotate_service_secret('rides', 60) as secret`;

  const [entry] = await sql`
    select resource_id, metadata, to_jsonb(entry)::text as line from public.system_audit_logs as entry
    where action = 'service_secret.rotated'`;
  assertEquals([entry!.resource_id, entry!.metadata, entry!.line.includes(secret)], [
    "rides",
    { overlap_seconds: 60 },
    false,
  ]);
});

test("claim_service_jobs() gives each job the address of a usable instance, the best first", async (sql) => {
  await route(sql);
  await sql`select public.rotate_service_secret('rides')`;
  await register(sql, { instance_id: "well", endpoint: "https://well.example.com/api/" });
  await register(sql, { instance_id: "tired", endpoint: "https://tired.example.com" });
  await register(sql, { instance_id: "nowhere" });
  await sql`select public.service_heartbeat('rides', 'warning', instance_id => 'tired')`;
  await sql`select public.schedule_job('rides.match'), public.schedule_job('rides.match')`;

  const claimed = await sql`select url, cardinality(secrets) as secrets, timeout_ms from public.claim_service_jobs()`;

  const expected = { url: "https://well.example.com/api/jobs", secrets: 1, timeout_ms: 25_000 };
  assertEquals([...claimed], [expected, expected]);
});

test("claim_service_jobs() claims nothing that could not be signed", async (sql) => {
  await route(sql);
  await register(sql, { endpoint: "https://rides.example.com" });
  await sql`select public.schedule_job('rides.match')`;

  assertEquals((await sql`select * from public.claim_service_jobs()`).length, 0);
});

test("report_service_jobs() leaves out what somebody else has claimed since", async (sql) => {
  await route(sql);
  await sql`select public.rotate_service_secret('rides')`;
  await register(sql, { endpoint: "https://rides.example.com" });
  await sql`select public.schedule_job('rides.match')`;
  const [first] = await sql`select id, lease_token::int from public.claim_service_jobs()`;
  await sql`select public.release_job(${first!.id}, ${first!.lease_token})`;
  const [second] = await sql`select id, lease_token::int from public.claim_service_jobs()`;
  const report = async (claim: typeof first) => {
    const reports = JSON.stringify([{ job_id: claim!.id, lease_token: claim!.lease_token, status: 200 }]);
    const [row] = await sql`select cardinality(public.report_service_jobs(${reports}::text::jsonb)) as count`;
    return row!.count;
  };

  assertEquals([await report(first), await report(second), await report(second)], [0, 1, 0]);
});
