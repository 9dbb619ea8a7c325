import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { codeOf } from "../flags/flags.ts";

const database = await createTestDatabase();

function test(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, body));
}

async function expose(sql: TransactionSql, exposures: Record<string, unknown>[]): Promise<number> {
  const full = exposures.map((exposure) => ({ flag_key: "new-map", variant: "on", at: new Date(), ...exposure }));
  const [row] = await sql`
    select public.record_flag_exposures('production', ${JSON.stringify(full)}::text::jsonb) as stored`;
  return row!.stored;
}

test("record_flag_exposures() stores one event a day for a flag, variant and person", async (sql) => {
  const aline = { targeting_key: "aline" };

  const stored = [
    await expose(sql, [aline, aline, { ...aline, variant: "off" }]),
    await expose(sql, [aline, { targeting_key: "eric" }]),
  ];

  assertEquals(stored, [2, 1]);
  const [event] = await sql`
    select event_name, properties from public.analytics_events where user_id = 'eric'`;
  assertEquals({ ...event }, {
    event_name: "$feature_flag_called",
    properties: {
      "$feature_flag": "new-map",
      "$feature_flag_response": "on",
      environment: "production",
      sample_rate: 1,
    },
  });
});

test("record_flag_exposures() samples people, and the same ones each time", async (sql) => {
  await sql`update private.analytics_settings set exposure_sample_rate = 0.5`;
  const people = Array.from({ length: 400 }, (_, number) => ({ targeting_key: `person-${number}` }));

  const first = await expose(sql, people);
  const other = await expose(sql, people.map((person) => ({ ...person, flag_key: "other" })));

  assertEquals([first > 120 && first < 280, other], [true, first]);
});

test("record_flag_exposures() of suppressed people stores nothing", async (sql) => {
  await sql`select public.suppress_analytics_user('aline')`;

  assertEquals(await expose(sql, [{ targeting_key: "aline" }]), 0);
});

test("record_flag_exposures() of what is no list is refused", async (sql) => {
  const call = (inner: TransactionSql) => inner`select public.record_flag_exposures('production', '{}')`;

  assertEquals(await codeOf(sql, call), "invalid_argument");
});
