import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../../support/database.ts";
import { agrees, dayOf, dayText, distinct, happen, type Happening, MONDAY } from "./happenings.ts";

const database = await createTestDatabase();

Deno.test("the top events, properties and values are what counting comes to", () =>
  agrees(database, async (sql, happenings) => {
    const counted = happenings.filter((each) => !each.isBot && dayOf(each.at) >= 0 && dayOf(each.at) <= 6);
    const looked = counted.filter(({ name }) => name === "looked");
    const [from, to] = [dayText(0), dayText(6)];

    const events = await sql`select * from public.analytics_top_events(${from}, ${to}, 2)`;
    const properties = await sql`select * from public.analytics_top_properties('looked', ${from}, ${to}, 2)`;
    const values = await sql`select * from public.analytics_top_values('looked', 'city', ${from}, ${to}, 2)`;

    const city = ({ properties }: Happening) => properties?.city == null ? null : String(properties.city);
    assertEquals(lines(events), ranked(counted, ({ name }) => [name]).slice(0, 2));
    assertEquals(lines(properties), ranked(looked, ({ properties }) => Object.keys(properties ?? {})).slice(0, 2));
    assertEquals(lines(values), ranked(looked, (each) => [city(each)]).slice(0, 2));
  }));

Deno.test(
  "analytics_overview() puts as many days before beside the days asked for",
  rolledBack(database, async (sql) => {
    await happen(sql, [
      { actor: "a", name: "looked", at: MONDAY - 1 },
      { actor: "a", name: "looked", at: MONDAY },
      { actor: "b", name: "rode", at: MONDAY },
      { actor: "b", name: "rode", at: MONDAY, isBot: true },
    ]);

    const rows = await sql`
      select from_day::text, to_day::text, event_count::int, event_name_count::int, actor_count::int, new_actor_count::int
      from public.analytics_overview(${dayText(0)}, ${dayText(1)})`;

    assertEquals(rows.map((row) => Object.values(row)), [
      [dayText(0), dayText(1), 2, 2, 2, 1],
      [dayText(-2), dayText(-1), 1, 1, 1, 1],
    ]);
  }),
);

Deno.test(
  "analytics_overview() of nothing is noughts",
  rolledBack(database, async (sql) => {
    const rows = await sql`select event_count::int, actor_count::int from public.analytics_overview()`;

    assertEquals(rows.map((row) => Object.values(row)), [[0, 0], [0, 0]]);
  }),
);

Deno.test.afterAll(() => database.sql.end());

function lines(rows: Iterable<Record<string, unknown>>) {
  return [...rows].map((row) => Object.values(row).map((value, index) => index === 0 ? value : Number(value)));
}

function ranked(happenings: Happening[], keysOf: (happening: Happening) => (string | null)[]) {
  const keys = distinct(happenings.flatMap(keysOf));
  return keys.map((key) => {
    const having = happenings.filter((each) => keysOf(each).includes(key));
    return [key, having.length, distinct(having.map(({ actor }) => actor)).length] as const;
  }).toSorted(([oneKey, one], [otherKey, other]) => other - one || byText(oneKey, otherKey)).map((line) => [...line]);
}

function byText(one: string | null, other: string | null): number {
  if (one === null || other === null) return one === null ? 1 : -1;
  return one < other ? -1 : 1;
}
