import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { codeOf } from "../flags/flags.ts";

const database = await createTestDatabase();

function test(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, body));
}

const ALINE = "0192f3a0-0000-7000-8000-000000000001";
const ERIC = "0192f3a0-0000-7000-8000-000000000002";

async function expose(sql: TransactionSql, exposures: Record<string, unknown>[], rate = 1): Promise<number> {
  const full = exposures.map((exposure) => ({ flag_key: "new-map", variant: "on", at: new Date(), ...exposure }));
  const [row] = await sql`
    select public.record_flag_exposures('production', ${JSON.stringify(full)}::text::jsonb, ${rate}) as stored`;
  return row!.stored;
}

test("record_flag_exposures() stores one event a day for a flag, variant and person", async (sql) => {
  const aline = { targeting_key: ALINE };

  const stored = [
    await expose(sql, [aline, aline, { ...aline, variant: "off" }]),
    await expose(sql, [aline, { targeting_key: ERIC }], 0.25),
  ];

  assertEquals(stored, [2, 1]);
  const [event] = await sql`
    select event_name, properties from public.analytics_events where anonymous_id = ${ERIC}`;
  assertEquals({ ...event }, {
    event_name: "$feature_flag_called",
    properties: {
      "$feature_flag": "new-map",
      "$feature_flag_response": "on",
      environment: "production",
      sample_rate: 0.25,
    },
  });
});

test("record_flag_exposures() knows users by profile and sign-in, and leaves out what is no UUID", async (sql) => {
  const [profile] = await sql`insert into public.profiles (phone) values ('+250788000001') returning id`;

  const stored = await expose(
    sql,
    [profile!.id, ERIC, "+250788000001", "", null].map((targeting_key) => ({ targeting_key })),
  );

  const rows = await sql`select user_id, anonymous_id from public.analytics_events order by user_id`;
  assertEquals([stored, rows.map((row) => ({ ...row }))], [2, [
    { user_id: profile!.id, anonymous_id: null },
    { user_id: null, anonymous_id: ERIC },
  ]]);
});

test("record_flag_exposures() of suppressed people stores nothing", async (sql) => {
  await sql`select public.suppress_analytics_user(anonymous_id => ${ALINE})`;

  assertEquals(await expose(sql, [{ targeting_key: ALINE }]), 0);
});

test("record_flag_exposures() of what is no list is refused", async (sql) => {
  const call = (inner: TransactionSql) => inner`select public.record_flag_exposures('production', '{}')`;

  assertEquals(await codeOf(sql, call), "invalid_argument");
});
