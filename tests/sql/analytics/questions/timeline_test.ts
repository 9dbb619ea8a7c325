import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../../support/database.ts";
import { mergeAll, track } from "../analytics.ts";
import { actorId, agrees, DAY_MS, happen, type Happening, MONDAY } from "./happenings.ts";

const database = await createTestDatabase();
await database.sql`update private.analytics_settings set publishable_events_per_minute = null`;

Deno.test("pages of analytics_timeline() are a person's events, the newest first, each once", () =>
  agrees(database, async (sql, happenings) => {
    const expected = happenings.map((each, index) => ({ ...each, index }))
      .filter((each) => each.actor === "a" && !each.isBot)
      .toSorted((one, other) => other.at - one.at || other.index - one.index).map(({ index }) => index);

    assertEquals(await pages(sql, "a", 3), expected);
  }));

Deno.test(
  "a timeline goes on over months without anything",
  rolledBack(database, async (sql) => {
    const apart: Happening[] = [0, 95, 200].map((day) => ({ actor: "a", name: "looked", at: MONDAY - day * DAY_MS }));
    await happen(sql, apart);

    assertEquals(await pages(sql, "a", 2), [0, 1, 2]);
  }),
);

Deno.test("a timeline is the person's under each of their ids, and only theirs", async () => {
  const { sql } = database;
  await track(sql, [{ anonymous_id: "phone", event_name: "looked" }, { user_id: "eric", event_name: "looked" }]);
  await track(sql, [{ type: "identify", event_name: "identified", user_id: "aline", anonymous_id: "phone" }]);
  await mergeAll(sql);

  for (const ids of [{ user_id: "aline" }, { anonymous_id: "phone" }]) {
    const rows = await sql`
      select event_name, user_id, anonymous_id
      from public.analytics_timeline(${ids.user_id ?? null}, ${ids.anonymous_id ?? null}) order by 1`;
    assertEquals(rows.map((row) => Object.values(row)), [["identified", "aline", "phone"], ["looked", null, "phone"]]);
  }
});

Deno.test.afterAll(() => database.sql.end());

/** All pages of that size, as positions of the events. */
async function pages(sql: TransactionSql, actor: string, size: number): Promise<number[]> {
  const found: number[] = [];
  let before: Record<string, string> | undefined;
  while (true) {
    const rows: Record<string, string>[] = await sql`
      select id, occurred_at::text from public.analytics_timeline(
        user_id => ${actorId(actor)}, before_at => ${before?.occurred_at ?? null}::text::timestamptz,
        before_id => ${before?.id ?? null}, max_count => ${size}
      )`;
    found.push(...rows.map(({ id }) => parseInt(id!.slice(-12), 16)));
    before = rows.at(-1);
    if (!before) return found;
  }
}
