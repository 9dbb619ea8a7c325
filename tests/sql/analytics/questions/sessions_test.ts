import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../../support/database.ts";
import { agrees, DAY_MS, dayOf, dayText, distinct, happen, type Happening, MINUTE_MS, MONDAY } from "./happenings.ts";
import { medianSeconds } from "./funnel_model.ts";

const database = await createTestDatabase();

Deno.test("analytics_sessions() is what walking along each person's events comes to", () =>
  agrees(database, async (sql, happenings) => {
    for (const [from, to] of [[0, 6], [2, 2]] as const) {
      assertEquals(await sessions(sql, from, to), model(happenings, from, to));
    }
  }));

function test(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, body));
}

const at = (minutes: number, ms = 0, session: string | null = null): Happening => ({
  actor: "a",
  name: "looked",
  at: MONDAY + minutes * MINUTE_MS + ms,
  session,
});

test("nobody at all is no session, and no rate of anything", async (sql) => {
  assertEquals(await sessions(sql, 0, 0), [[null, 0, 0, 0, 0, null, null, null], [
    dayText(0),
    0,
    0,
    0,
    0,
    null,
    null,
    null,
  ]]);
});

test("half an hour of silence is in a session, a millisecond more begins another", async (sql) => {
  await happen(sql, [at(0), at(30), at(60, 1)]);

  assertEquals((await sessions(sql, 0, 0))[0], [null, 2, 1, 3, 1, 0.5, 900, 900]);
});

test("the client's own session goes on over silence", async (sql) => {
  await happen(sql, [at(0, 0, "s1"), at(300, 0, "s1"), at(301)]);

  assertEquals((await sessions(sql, 0, 0))[0], [null, 2, 1, 3, 1, 0.5, 9_000, 9_000]);
});

test("a session over midnight is of the day on which it began", async (sql) => {
  await happen(sql, [at(-5), at(5), at(10)]);

  assertEquals((await sessions(sql, -1, -1))[1]?.slice(0, 4), [dayText(-1), 1, 1, 3]);
  assertEquals((await sessions(sql, 0, 0))[1]?.slice(0, 4), [dayText(0), 0, 0, 0]);
});

test("being identified, and exposures to flags, are no visit", async (sql) => {
  await happen(sql, [{ ...at(0), type: "identify" }, { ...at(1), name: "$feature_flag_called" }]);

  assertEquals((await sessions(sql, 0, 0))[0]?.[1], 0);
});

Deno.test.afterAll(() => database.sql.end());

async function sessions(sql: TransactionSql, from: number, to: number) {
  const rows = await sql`
    select day::text, session_count::int, actor_count::int, event_count::int, bounce_count::int, bounce_rate::float8,
      median_seconds::float8, average_seconds::float8
    from public.analytics_sessions(${dayText(from)}, ${dayText(to)})`;
  return rows.map((row) => Object.values(row));
}

interface Session {
  actor: string;
  events: number[];
}

function model(happenings: Happening[], from: number, to: number) {
  const all = distinct(happenings.map(({ actor, session }) => JSON.stringify([actor, session]))).flatMap((key) => {
    const [actor, session] = JSON.parse(key);
    const times = happenings.filter((each) =>
      !each.isBot && each.type !== "identify" && each.actor === actor && (each.session ?? null) === session
    ).map((each) => each.at).toSorted((one, other) => one - other);
    return cut(times, session === null ? 30 * MINUTE_MS : DAY_MS).map((events): Session => ({ actor, events }));
  });
  const whole = all.map(({ actor, events }) => ({
    actor,
    events: events.filter((time) => dayOf(time) <= dayOf(events[0]!) + 1),
  }));
  const begunOn = (first: number, last: number) =>
    whole.filter(({ events }) => dayOf(events[0]!) >= first && dayOf(events[0]!) <= last);
  const days = Array.from({ length: to - from + 1 }, (_, index) => from + index);
  return [line(null, begunOn(from, to)), ...days.map((day) => line(dayText(day), begunOn(day, day)))];
}

function cut(times: number[], silence: number): number[][] {
  const sessions: number[][] = [];
  for (const time of times) {
    const last = sessions.at(-1);
    if (last && time - last.at(-1)! <= silence) last.push(time);
    else sessions.push([time]);
  }
  return sessions;
}

function line(day: string | null, sessions: Session[]) {
  const bounces = sessions.filter(({ events }) => events.length === 1).length;
  const durations = sessions.map(({ events }) => events.at(-1)! - events[0]!);
  const isEmpty = sessions.length === 0;
  return [
    day,
    sessions.length,
    distinct(sessions.map(({ actor }) => actor)).length,
    sessions.reduce((sum, { events }) => sum + events.length, 0),
    bounces,
    isEmpty ? null : Math.round(bounces * 10_000 / sessions.length) / 10_000,
    medianSeconds(durations),
    isEmpty ? null : Math.round(durations.reduce((sum, each) => sum + each, 0) / sessions.length) / 1_000,
  ];
}
