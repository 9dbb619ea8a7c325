import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { claim, createPerson, notify } from "./notifications.ts";

const database = await createTestDatabase();

const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];

/** When the quiet hours end that a moment falls into: zone, from, to, days, moment, end. 2026-11-23 is a Monday. */
const CASES: [
  name: string,
  zone: string,
  from: string | null,
  to: string | null,
  days: number[],
  at: string,
  until: string | null,
][] = [
  ["before they begin", "Africa/Kigali", "22:00", "07:00", EVERY_DAY, "2026-11-23T19:59:59Z", null],
  ["as they begin", "Africa/Kigali", "22:00", "07:00", EVERY_DAY, "2026-11-23T20:00:00Z", "2026-11-24T05:00:00Z"],
  ["after midnight", "Africa/Kigali", "22:00", "07:00", EVERY_DAY, "2026-11-23T23:30:00Z", "2026-11-24T05:00:00Z"],
  ["as they end", "Africa/Kigali", "22:00", "07:00", EVERY_DAY, "2026-11-24T05:00:00Z", null],
  ["within one day", "Africa/Kigali", "12:00", "14:00", EVERY_DAY, "2026-11-23T11:00:00Z", "2026-11-23T12:00:00Z"],
  ["without any", "Africa/Kigali", null, null, EVERY_DAY, "2026-11-23T23:30:00Z", null],
  ["on no day", "Africa/Kigali", "22:00", "07:00", [], "2026-11-23T23:30:00Z", null],
  ["the same moment west of it", "America/New_York", "22:00", "07:00", EVERY_DAY, "2026-11-23T23:30:00Z", null],
  [
    "the same moment east of it",
    "Asia/Tokyo",
    "22:00",
    "09:00",
    EVERY_DAY,
    "2026-11-23T23:30:00Z",
    "2026-11-24T00:00:00Z",
  ],
  ["a whole Sunday", "Africa/Kigali", "00:00", "00:00", [7], "2026-11-22T10:00:00Z", "2026-11-22T22:00:00Z"],
  ["the day after a whole Sunday", "Africa/Kigali", "00:00", "00:00", [7], "2026-11-22T22:00:00Z", null],
  ["a whole week-end", "Africa/Kigali", "00:00", "00:00", [6, 7], "2026-11-21T06:00:00Z", "2026-11-22T22:00:00Z"],
  [
    "the night that began on Friday",
    "Africa/Kigali",
    "22:00",
    "07:00",
    [5],
    "2026-11-21T02:00:00Z",
    "2026-11-21T05:00:00Z",
  ],
  ["the night that began on Saturday", "Africa/Kigali", "22:00", "07:00", [5], "2026-11-22T02:00:00Z", null],
  [
    "the short night of spring",
    "Europe/Paris",
    "22:00",
    "07:00",
    EVERY_DAY,
    "2026-03-28T22:00:00Z",
    "2026-03-29T05:00:00Z",
  ],
  [
    "the long night of autumn",
    "Europe/Paris",
    "22:00",
    "07:00",
    EVERY_DAY,
    "2026-10-24T21:00:00Z",
    "2026-10-25T06:00:00Z",
  ],
];

for (const [name, zone, from, to, days, at, until] of CASES) {
  Deno.test(
    `quiet_until() is right ${name} (${zone})`,
    rolledBack(database, async (sql) => {
      const [row] = await sql<{ until: Date | null }[]>`
        select private.quiet_until(
          row(null, ${zone}::text, ${from}::time, ${to}::time, ${days}::smallint[], now())::public.notification_settings,
          ${at}::timestamptz
        ) as until`;

      assertEquals(row!.until?.toISOString().replace(".000", "") ?? null, until);
    }),
  );
}

Deno.test(
  "a notification waits for the end of the quiet hours, and a critical one does not",
  rolledBack(database, async (sql) => {
    const person = await createPerson(sql);
    await sql`update public.notification_settings set quiet_from = '00:00', quiet_to = '00:00'`;

    const usual = await notify(sql, person, { channels: ["sms"] });
    const critical = await notify(sql, person, { channels: ["sms"], is_critical: true });

    const [row] = await sql`select now() as now`;
    assertEquals([usual.scheduled_at > row!.now, critical.scheduled_at], [true, row!.now]);
    assertEquals((await claim(sql)).length, 1);
  }),
);

Deno.test(
  "quiet hours that begin between the plan and the claim are kept too, at no attempt's cost",
  rolledBack(database, async (sql) => {
    const person = await createPerson(sql);
    await notify(sql, person, { channels: ["sms"] });
    await sql`update public.notification_settings set quiet_from = '00:00', quiet_to = '00:00'`;

    const claimed = await claim(sql);

    const [row] =
      await sql`select state, attempt_count, scheduled_at > now() as waits from public.notification_deliveries`;
    assertEquals(claimed, []);
    assertEquals({ ...row! }, { state: "ready", attempt_count: 0, waits: true });
  }),
);
