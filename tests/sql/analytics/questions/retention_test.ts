import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../../support/database.ts";
import { agrees, DAY_MS, dayOf, dayText, distinct, happen, type Happening, MONDAY } from "./happenings.ts";

const database = await createTestDatabase();

const QUESTIONS: Question[] = [
  { from: 0, to: 6, length: 1, count: 5, start: null, back: null },
  { from: -1, to: 4, length: 1, count: 3, start: "looked", back: "rode" },
  { from: 0, to: 8, length: 7, count: 2, start: null, back: null },
  { from: 2, to: 3, length: 7, count: 1, start: "asked", back: null },
];

Deno.test("analytics_retention() is what following each newcomer comes to", () =>
  agrees(database, async (sql, happenings) => {
    for (const question of QUESTIONS) assertEquals(await retention(sql, question), model(happenings, question));
  }));

Deno.test(
  "who came before is no newcomer, and a week ends with Sunday in Kigali",
  rolledBack(database, async (sql) => {
    await happen(sql, [
      { actor: "a", name: "looked", at: MONDAY - 300 * DAY_MS },
      { actor: "a", name: "looked", at: MONDAY },
      { actor: "b", name: "looked", at: MONDAY + 7 * DAY_MS - 1 },
      { actor: "b", name: "looked", at: MONDAY + 7 * DAY_MS },
    ]);

    assertEquals(await retention(sql, { from: 0, to: 0, length: 7, count: 2, start: null, back: null }), [
      [dayText(0), 1, 0, 1],
      [dayText(0), 1, 1, 1],
      [dayText(0), 1, 2, 0],
    ]);
  }),
);

Deno.test(
  "periods that have not begun are left out",
  rolledBack(database, async (sql) => {
    const rows = await sql`
      select cohort_on::text, period from public.analytics_retention(private.reporting_day(now()) - 1, period_count => 5)`;

    assertEquals(rows.map(({ period }) => period), [0, 1, 0]);
  }),
);

Deno.test.afterAll(() => database.sql.end());

interface Question {
  from: number;
  to: number;
  length: 1 | 7;
  count: number;
  start: string | null;
  back: string | null;
}

async function retention(sql: TransactionSql, { from, to, length, count, start, back }: Question) {
  const rows = await sql`
    select cohort_on::text as cohort, cohort_size::int as size, period, actor_count::int as people
    from public.analytics_retention(
      ${dayText(from)}, ${dayText(to)}, ${length === 7 ? "week" : "day"}, ${count}, ${start}, ${back}
    )`;
  return rows.map(({ cohort, size, period, people }) => [cohort, size, period, people]);
}

function model(happenings: Happening[], { from, to, length, count, start, back }: Question) {
  const counted = happenings.filter((each) => !each.isBot);
  const periodOf = (day: number) => Math.floor(day / length);
  const firstOf = (actor: string) =>
    Math.min(
      ...counted.filter((each) => each.actor === actor && (start === null || each.name === start))
        .map(({ at }) => dayOf(at)),
    );
  const lines = [];
  for (let cohort = periodOf(from); cohort <= periodOf(to); cohort++) {
    const newcomers = distinct(counted.map(({ actor }) => actor)).filter((actor) =>
      periodOf(firstOf(actor)) === cohort
    );
    for (let later = 0; later <= count; later++) {
      const back_ = newcomers.filter((actor) =>
        counted.some((each) =>
          each.actor === actor && (back === null || each.name === back) && periodOf(dayOf(each.at)) === cohort + later
        )
      );
      lines.push([dayText(cohort * length), newcomers.length, later, back_.length]);
    }
  }
  return lines;
}
