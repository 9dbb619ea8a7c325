import fc from "fast-check";
import type { TransactionSql } from "postgres";
import { rolledBack, type TestDatabase } from "../../../support/database.ts";

/** An event, as a question sees it. */
export interface Happening {
  actor: string;
  name: string;
  /** Milliseconds. */
  at: number;
  session?: string | null;
  properties?: Record<string, unknown>;
  type?: "track" | "identify" | "page";
  isBot?: boolean;
}

export const DAY_MS = 86_400_000;
export const MINUTE_MS = 60_000;
/** Midnight in Kigali, on a Monday long past. */
export const MONDAY = Date.parse("2026-03-02T00:00:00+02:00");

/** The reporting day of a time, counted from the first Monday: of the model, which has no calendar. */
export function dayOf(at: number): number {
  return Math.floor((at - MONDAY) / DAY_MS);
}

/** A day by its number, as SQL writes it. */
export function dayText(day: number): string {
  return new Date(Date.parse("2026-03-02T00:00:00Z") + day * DAY_MS).toISOString().slice(0, 10);
}

/** People of the tests by a letter. */
export function actorId(letter: string): string {
  return `00000000-0000-4000-8000-0000000000${letter.charCodeAt(0).toString(16)}`;
}

/** Stores events as they are, ids by their position; the facts follow by the table's own trigger. */
export async function happen(sql: TransactionSql, happenings: Happening[]): Promise<void> {
  const rows = happenings.map((each, index) => ({
    id: `00000000-0000-4000-8000-${index.toString(16).padStart(12, "0")}`,
    event_name: each.name,
    type: each.type ?? "track",
    actor_id: actorId(each.actor),
    user_id: each.actor,
    session_id: each.session ?? null,
    properties: each.properties ?? {},
    is_bot: each.isBot ?? false,
    occurred_at: new Date(each.at).toISOString(),
  }));
  await sql`
    insert into public.analytics_events
      (day, id, event_name, type, actor_id, user_id, session_id, properties, is_bot, occurred_at)
    select (row.occurred_at at time zone 'Africa/Kigali')::date, row.*
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as row (
      id uuid, event_name text, type public.analytics_event_type, actor_id uuid, user_id text, session_id text,
      properties jsonb, is_bot boolean, occurred_at timestamptz
    )`;
}

const moment = fc.tuple(
  fc.integer({ min: -3, max: 12 }),
  fc.constantFrom(-1, 0, 1, 30 * MINUTE_MS, 30 * MINUTE_MS + 1, 60 * MINUTE_MS, 720 * MINUTE_MS, DAY_MS - 1),
).map(([day, rest]) => MONDAY + day * DAY_MS + rest);

/** Few people, names and moments, so that ties, repetitions and the edges of days come often. */
export const randomHappenings: fc.Arbitrary<Happening[]> = fc.array(
  fc.record({
    actor: fc.constantFrom("a", "b", "c"),
    name: fc.constantFrom("looked", "asked", "rode"),
    at: moment,
    session: fc.option(fc.constantFrom("s1", "s2"), { freq: 2 }),
    properties: fc.record({ city: fc.constantFrom("kigali", "huye", 7, null) }, { requiredKeys: [] }),
    type: fc.constantFrom("track" as const, "track" as const, "page" as const, "identify" as const),
    isBot: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
  }),
  { maxLength: 40 },
);

/** Holds a question against its model, on random events, each time over an empty database. */
export function agrees(
  database: TestDatabase,
  check: (sql: TransactionSql, happenings: Happening[]) => Promise<void>,
): Promise<void> {
  return fc.assert(
    fc.asyncProperty(randomHappenings, (happenings) =>
      rolledBack(database, async (sql) => {
        await happen(sql, happenings);
        await check(sql, happenings);
      })()),
    { numRuns: 60 },
  );
}

/** The distinct values, in their order of appearance. */
export function distinct<Value>(values: Value[]): Value[] {
  return [...new Set(values)];
}
