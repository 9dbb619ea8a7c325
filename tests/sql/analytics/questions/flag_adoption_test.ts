import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../../support/database.ts";
import { DAY_MS, dayText, happen, type Happening, MONDAY } from "./happenings.ts";

const database = await createTestDatabase();

function test(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, body));
}

function exposure(actor: string, variant: string, more: Record<string, unknown> = {}, day = 0): Happening {
  const properties = { $feature_flag: "fare", $feature_flag_response: variant, ...more };
  return { actor, name: "$feature_flag_called", at: MONDAY + day * DAY_MS, properties };
}

test("analytics_flag_adoption() counts people of each variant by day", async (sql) => {
  await happen(sql, [
    exposure("a", "on"),
    exposure("a", "on"),
    exposure("b", "off"),
    exposure("c", "on"),
    exposure("a", "on", {}, 1),
    exposure("b", "on", { $feature_flag: "other" }),
  ]);

  assertEquals(await adoption(sql), [
    [dayText(0), "off", 1, 0.3333, 1],
    [dayText(0), "on", 2, 0.6667, 2],
    [dayText(1), "on", 1, 1, 1],
  ]);
});

test("each kept exposure stands for as many as the sample left out; nonsense of a client's for itself", async (sql) => {
  await happen(sql, [
    exposure("a", "on", { sample_rate: 0.25 }),
    exposure("b", "on", { sample_rate: 0.5 }),
    exposure("c", "on", { sample_rate: "many" }),
    exposure("d", "on", { sample_rate: 1e-300 }),
    exposure("e", "on", { sample_rate: -1 }),
  ]);

  assertEquals(await adoption(sql), [[dayText(0), "on", 5, 1, 9]]);
});

test("one environment is asked for alone", async (sql) => {
  await happen(sql, [exposure("a", "on", { environment: "production" }), exposure("b", "on", { environment: "test" })]);

  assertEquals((await adoption(sql, "test")).map(([, , people]) => people), [1]);
});

Deno.test("what flags record is what is read", async () => {
  const { sql } = database;
  const exposures = [{ flag_key: "fare", variant: "on", targeting_key: crypto.randomUUID(), at: new Date() }];
  await sql`select public.record_flag_exposures('production', ${JSON.stringify(exposures)}::text::jsonb)`;

  const [row] = await sql`select variant, actor_count::int from public.analytics_flag_adoption('fare')`;

  assertEquals(row, { variant: "on", actor_count: 1 });
});

Deno.test.afterAll(() => database.sql.end());

async function adoption(sql: TransactionSql, environment: string | null = null) {
  const rows = await sql`
    select day::text, variant, actor_count::int, share::float8, estimated_actor_count::int
    from public.analytics_flag_adoption('fare', ${dayText(0)}, ${dayText(1)}, ${environment})`;
  return rows.map((row) => Object.values(row));
}
