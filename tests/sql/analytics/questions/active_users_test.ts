import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../../support/database.ts";
import { mergeAll, track } from "../analytics.ts";
import { agrees, dayOf, dayText, distinct, happen, type Happening, MONDAY } from "./happenings.ts";

const database = await createTestDatabase();
await database.sql`update private.analytics_settings set publishable_events_per_minute = null`;

Deno.test("analytics_active_users() is what counting people day by day comes to", () =>
  agrees(database, async (sql, happenings) => {
    for (const name of [null, "looked"]) {
      assertEquals(await activeUsers(sql, -2, 11, name), model(happenings, -2, 11, name));
    }
  }));

Deno.test(
  "a day begins at midnight in Kigali",
  rolledBack(database, async (sql) => {
    await happen(sql, [{ actor: "a", name: "looked", at: MONDAY - 1 }, { actor: "b", name: "looked", at: MONDAY }]);

    assertEquals(await activeUsers(sql, -1, 0), [[dayText(-1), 1, 1, 1], [dayText(0), 1, 2, 2]]);
  }),
);

Deno.test(
  "days without anybody are there, and a month is 30 days",
  rolledBack(database, async (sql) => {
    await happen(sql, [{ actor: "a", name: "looked", at: MONDAY }]);

    const rows = await activeUsers(sql, -1, 30);

    assertEquals(rows[0], [dayText(-1), 0, 0, 0]);
    assertEquals(rows[30], [dayText(29), 0, 0, 1]);
    assertEquals(rows[31], [dayText(30), 0, 0, 0]);
  }),
);

Deno.test("who is identified later is one person all along", async () => {
  const { sql } = database;
  const today = new Date().toISOString();
  await track(sql, [{ anonymous_id: "phone", timestamp: today }, { user_id: "aline", timestamp: today }]);

  await track(sql, [{ type: "identify", event_name: "identified", user_id: "aline", anonymous_id: "phone" }]);
  await mergeAll(sql);

  const [row] = await sql`
    select max(mau)::int as people, count(*)::int as days from public.analytics_active_users()`;
  assertEquals(row, { people: 1, days: 30 });
});

Deno.test.afterAll(() => database.sql.end());

async function activeUsers(sql: TransactionSql, from: number, to: number, name: string | null = null) {
  const rows = await sql`
    select day::text, dau::int, wau::int, mau::int
    from public.analytics_active_users(${dayText(from)}, ${dayText(to)}, ${name})`;
  return rows.map(({ day, dau, wau, mau }) => [day, dau, wau, mau]);
}

function model(happenings: Happening[], from: number, to: number, name: string | null) {
  const counted = happenings.filter((each) => !each.isBot && (name === null || each.name === name));
  const people = (first: number, last: number) =>
    distinct(counted.filter(({ at }) => dayOf(at) >= first && dayOf(at) <= last).map(({ actor }) => actor)).length;
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
    .map((day) => [dayText(day), people(day, day), people(day - 6, day), people(day - 29, day)]);
}
