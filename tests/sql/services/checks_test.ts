import { assert, assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { check, feed, register, statusOf } from "./services.ts";

const database = await createTestDatabase();
Deno.test.afterAll(() => database.sql.end());
const URL = "https://rides.example.com/health";

function test(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, body));
}

async function nextIn(sql: TransactionSql): Promise<number> {
  const [row] = await sql`select extract(epoch from due_at - now())::float as seconds from public.service_checks`;
  return row!.seconds;
}

test("the first answer decides", async (sql) => {
  await register(sql, { health_check_url: URL });

  await check(sql, 204);

  assertEquals(await statusOf(sql), "passing");
});

test("three failures in a row make it critical, two successes passing again", async (sql) => {
  await register(sql, { health_check_url: URL });

  await check(sql, 200, 500, null);
  assertEquals(await statusOf(sql), "passing");
  await check(sql, 302);
  assertEquals(await statusOf(sql), "critical");
  await check(sql, 200);
  assertEquals(await statusOf(sql), "critical");
  await check(sql, 200);
  assertEquals(await statusOf(sql), "passing");

  await sql`set constraints all immediate`;
  assertEquals((await feed(sql)).slice(1), [
    "status_changed default critical>passing check",
    "status_changed default passing>critical check",
    "status_changed default critical>passing check",
  ]);
});

test("one that flaps keeps its status; of worse answers the last one counts", async (sql) => {
  await register(sql, { health_check_url: URL });

  await check(sql, 200, 500, 500, 200, 500, 500, 200);
  assertEquals(await statusOf(sql), "passing");
  await check(sql, 500, 503, 429);

  assertEquals(await statusOf(sql), "warning");
});

test("checks are spread, and rarer the longer they fail", async (sql) => {
  await register(sql, { health_check_url: URL });

  await check(sql, 200);
  assert(await nextIn(sql) >= 13.5 && await nextIn(sql) <= 16.5);
  await check(sql, 500, 500, 500, 500, 500, 500, 500, 500);
  assert(await nextIn(sql) >= 60 && await nextIn(sql) <= 120);
});

test("a lease that ended, or an address that changed, leaves the report without effect", async (sql) => {
  await register(sql, { health_check_url: URL });
  const [claim] = await sql`select * from public.claim_service_checks()`;
  assertEquals((await sql`select * from public.claim_service_checks()`).length, 0);
  const report = async () => {
    const reports = JSON.stringify([{ ...claim, lease_token: Number(claim!.lease_token), status: 200 }]);
    const [row] = await sql`select cardinality(public.report_service_checks(${reports}::text::jsonb)) as count`;
    return row!.count;
  };

  await register(sql, { health_check_url: `${URL}/other` });

  assertEquals([await report(), await statusOf(sql)], [0, "critical"]);
  assertEquals((await sql`select * from public.claim_service_checks()`).length, 1);
  assertEquals([await report(), await statusOf(sql)], [0, "critical"]);
  await register(sql);
  assertEquals([(await sql`select from public.service_checks`).length, await statusOf(sql)], [0, "passing"]);
});

test("what is registered again at the same address stays as it was found", async (sql) => {
  await register(sql, { health_check_url: URL });
  await check(sql, 200);

  await register(sql, { health_check_url: URL, version: "2.0.0" });

  assertEquals(await statusOf(sql), "passing");
});

test("release_service_checks() gives back what was claimed and not made", async (sql) => {
  await register(sql, { health_check_url: URL });
  const [claim] = await sql`select * from public.claim_service_checks()`;

  await sql`select public.release_service_checks(array[${claim!.service_id}::uuid], array[${
    claim!.lease_token
  }::bigint])`;

  assertEquals((await sql`select * from public.claim_service_checks()`).length, 1);
});
