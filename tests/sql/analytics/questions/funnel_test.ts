import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../../support/database.ts";
import { agrees, DAY_MS, dayText, distinct, happen, type Happening, MINUTE_MS, MONDAY } from "./happenings.ts";
import { type Funnel, funnelModel } from "./funnel_model.ts";

const database = await createTestDatabase();

const FUNNELS: Funnel[] = [
  { steps: ["looked"], seconds: 60 },
  { steps: ["looked", "asked", "rode"], seconds: 7 * 86_400 },
  { steps: ["looked", "asked", "looked"], seconds: 1_800 },
  { steps: ["looked", "looked", "looked", "asked"], seconds: 86_400 },
  { steps: ["asked", "rode"], seconds: 43_200, breakdown: "city", by: "first_step" },
  { steps: ["asked", "looked", "asked"], seconds: 3 * 86_400, breakdown: "city", by: "every_step" },
  { steps: ["looked", "looked", "rode"], seconds: 3 * 86_400, breakdown: "city", by: "first_step" },
];

Deno.test("analytics_funnel() is the best of every possible attempt of each person", () =>
  agrees(database, async (sql, happenings) => {
    for (const funnel of FUNNELS) {
      assertEquals(await funnelOf(sql, funnel), funnelModel(happenings, funnel, 0, 7));
    }
  }));

function test(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, body));
}

const counts = async (sql: TransactionSql, ...[funnel]: [Funnel]) => (await funnelOf(sql, funnel)).map((row) => row[2]);
const at = (name: string, minutes: number, ms = 0): Happening => ({
  actor: "a",
  name,
  at: MONDAY + minutes * MINUTE_MS + ms,
});

test("nobody at all is a nought for every step", async (sql) => {
  assertEquals(await counts(sql, { steps: ["looked", "asked"], seconds: 60 }), [0, 0]);
});

test("a later attempt counts where an earlier one ran out of time", async (sql) => {
  await happen(sql, [at("looked", 0), at("looked", 100), at("rode", 101)]);

  assertEquals(await counts(sql, { steps: ["looked", "rode"], seconds: 60 }), [1, 1]);
});

test("the conversion window ends with its last moment", async (sql) => {
  await happen(sql, [at("looked", 0), at("rode", 1), { ...at("looked", 0), actor: "b" }, {
    ...at("rode", 1, 1),
    actor: "b",
  }]);

  assertEquals(await counts(sql, { steps: ["looked", "rode"], seconds: 60 }), [2, 1]);
});

test("an event is one step: a step repeated needs another, and a later one", async (sql) => {
  await happen(sql, [at("looked", 0), at("looked", 0)]);
  const funnel = { steps: ["looked", "looked"], seconds: 60 };
  assertEquals(await counts(sql, funnel), [1, 0]);

  await sql`delete from public.analytics_events`;
  await happen(sql, [at("looked", 0), at("looked", 0, 1)]);

  assertEquals(await counts(sql, funnel), [1, 1]);
});

test("different steps at one time count in their order", async (sql) => {
  await happen(sql, [at("rode", 0), at("asked", 0), at("looked", 0)]);

  assertEquals(await counts(sql, { steps: ["looked", "asked", "rode"], seconds: 60 }), [1, 1, 1]);
});

test("who starts on the last day may finish after it, who starts after it does not count", async (sql) => {
  const late = MONDAY + 8 * DAY_MS;
  await happen(sql, [
    { actor: "a", name: "looked", at: late - 1 },
    { actor: "a", name: "rode", at: late + 7 * DAY_MS - 1 },
    { actor: "b", name: "looked", at: late },
    { actor: "b", name: "rode", at: late + 1 },
  ]);

  assertEquals(await counts(sql, { steps: ["looked", "rode"], seconds: 7 * 86_400 }), [1, 1]);
});

test("the 25 values with the most starters are shown", async (sql) => {
  const values = Array.from({ length: 27 }, (_, index) => String.fromCharCode(97 + index % 26) + index);
  await happen(
    sql,
    values.flatMap((city, index) => [
      { actor: "a", name: "looked", at: MONDAY + index, properties: { city } },
      ...(index > 24 ? [{ actor: "b", name: "looked", at: MONDAY + index, properties: { city } }] : []),
    ]),
  );

  const rows = await funnelOf(sql, { steps: ["looked"], seconds: 60, breakdown: "city", by: "first_step" });

  assertEquals([rows.length, distinct(rows.map(([value]) => value)).length], [25, 25]);
  assertEquals(rows.slice(0, 2).map(([value, , count]) => [value, count]), [["a26", 2], ["z25", 2]]);
});

test("a median of half a millisecond is rounded up", async (sql) => {
  await happen(sql, [at("looked", 0), at("rode", 720, -1), { ...at("looked", 0), actor: "b" }, {
    ...at("rode", 8_640, 2),
    actor: "b",
  }]);

  const rows = await funnelOf(sql, { steps: ["looked", "rode"], seconds: 7 * 86_400 });

  assertEquals(rows.map((row) => row[3]), [0, 280_800.001]);
});

test("rates are of the first step and of the one before", async (sql) => {
  await happen(sql, [at("looked", 0), at("asked", 1), { ...at("looked", 0), actor: "b" }]);

  const rows = await sql`
    select conversion_from_first::float8 as first, conversion_from_previous::float8 as previous
    from public.analytics_funnel('{looked,asked,rode,looked}', ${dayText(0)}, ${dayText(0)})`;

  assertEquals([...rows].map(({ first, previous }) => [first, previous]), [[1, 1], [0.5, 0.5], [0, 0], [0, null]]);
});

Deno.test.afterAll(() => database.sql.end());

async function funnelOf(sql: TransactionSql, { steps, seconds, breakdown = null, by = "first_step" }: Funnel) {
  const rows = await sql`
    select value, step, actor_count::int, median_seconds::float8
    from public.analytics_funnel(${steps}, ${dayText(0)}, ${dayText(7)}, ${seconds}, ${breakdown}, ${by})`;
  return rows.map(({ value, step, actor_count, median_seconds }) => [value, step, actor_count, median_seconds]);
}
