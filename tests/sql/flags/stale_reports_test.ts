import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { createUser } from "../foundation/people.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

/** Makes flags that were forgotten in the code. */
async function makeStale(sql: TransactionSql, ...keys: string[]): Promise<void> {
  for (const key of keys) await sql`select public.create_feature_flag(${key})`;
  await sql`update public.feature_flags set created_at = now() - interval '41 days' where flag_key = any(${keys})`;
}

async function makeOperator(sql: TransactionSql): Promise<string> {
  const id = await createUser(sql);
  await sql`insert into public.profiles (user_id, locale) values (${id}, 'en')`;
  await sql`insert into private.operators values (${id}, 'test')`;
  return id;
}

async function report(sql: TransactionSql): Promise<number> {
  const [row] = await sql`select private.report_stale_flags() as count`;
  return row!.count;
}

/** Who was told of which flags. */
async function told(sql: TransactionSql): Promise<[string, string[]][]> {
  const rows = await sql`
    select profile.user_id, notification.data -> 'flag_keys' as flag_keys
    from public.notifications as notification
    join public.profiles as profile on profile.id = notification.profile_id
    where notification.category = 'operations' order by notification.id`;
  return rows.map(({ user_id, flag_keys }) => [user_id, flag_keys]);
}

test("operators hear of stale flags once, and again when the reasons change or a month has gone", async (sql) => {
  const operator = await makeOperator(sql);
  await createUser(sql);
  await makeStale(sql, "old.b", "old.a");
  await sql`select public.create_feature_flag('new')`;

  assertEquals([await report(sql), await report(sql)], [2, 0]);
  assertEquals(await told(sql), [[operator, ["old.a", "old.b"]]]);

  await sql`update private.stale_flag_reports set reasons = '{lifetime_over}' where flag_key = 'old.a'`;
  await sql`update private.stale_flag_reports set reported_at = now() - interval '31 days' where flag_key = 'old.b'`;
  assertEquals([await report(sql), await report(sql)], [2, 0]);
});

test("each flag's stream says that it became stale, and why", async (sql) => {
  await makeStale(sql, "old");
  await report(sql);

  const events = await sql`
    select aggregate_id, payload from public.event_store where event_type = 'feature_flag.became_stale'`;
  assertEquals(events.map((row) => Object.values(row)), [["old", { reasons: ["lifetime_over", "not_evaluated"] }]]);
});

test("a flag that was put right is news when it is stale again", async (sql) => {
  await makeStale(sql, "old");
  await report(sql);
  await sql`select public.archive_feature_flag('old')`;
  assertEquals(await report(sql), 0);

  await sql`select public.archive_feature_flag('old', false)`;
  assertEquals(await report(sql), 1);
});

test("a report names twenty flags, the rest come the next time, and its text fits", async (sql) => {
  const operator = await makeOperator(sql);
  const keys = Array.from({ length: 30 }, (_, number) => `${"x".repeat(97)}.${String(number).padStart(2, "0")}`);
  await makeStale(sql, ...keys);

  assertEquals([await report(sql), await report(sql), await report(sql)], [20, 10, 0]);
  assertEquals((await told(sql)).map(([user, flags]) => [user, flags.length]), [[operator, 20], [operator, 10]]);
});

test("the schedule reports stale flags", async (sql) => {
  await makeStale(sql, "old");

  const [row] = await sql`select private.run_scheduled_job('report-stale-flags') as is_well`;
  assertEquals([row!.is_well, await report(sql)], [true, 0]);
});
