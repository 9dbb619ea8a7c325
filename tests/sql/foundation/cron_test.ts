import { assertEquals } from "@std/assert";
import { Cron } from "croner";
import fc from "fast-check";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { EXPRESSIONS, MOMENTS, ZONES } from "./cron_expressions.ts";

const database = await createTestDatabase();

async function next(sql: TransactionSql, cron: string, after: string, zone = "UTC"): Promise<string | null> {
  const [row] = await sql`select private.next_cron_time(${cron}, ${after}, ${zone}) as at`;
  return row!.at?.toISOString().replace(":00.000Z", "Z") ?? null;
}

for (
  const [what, cron, after, zone, expected] of [
    ["the next minute", "* * * * *", "2026-11-30T10:00:00Z", "UTC", "2026-11-30T10:01Z"],
    ["a time that is now comes again", "0 10 * * *", "2026-11-30T10:00:00Z", "UTC", "2026-12-01T10:00Z"],
    ["a moment before it", "0 10 * * *", "2026-11-30T09:59:59.999999Z", "UTC", "2026-11-30T10:00Z"],
    ["the clocks of a zone", "0 6 * * *", "2026-11-30T10:00:00Z", "Africa/Kigali", "2026-12-01T04:00Z"],
    ["a step", "*/20 * * * *", "2026-11-30T10:40:00Z", "UTC", "2026-11-30T11:00Z"],
    ["a step of a range", "10-40/15 * * * *", "2026-11-30T10:26:00Z", "UTC", "2026-11-30T10:40Z"],
    ["names in any case", "0 0 * FEB MON", "2026-11-30T10:00:00Z", "UTC", "2027-02-01T00:00Z"],
    ["7 is Sunday", "0 0 * * 7", "2026-11-30T10:00:00Z", "UTC", "2026-12-06T00:00Z"],
    ["a range to Sunday", "0 0 * * sat-sun", "2026-11-28T10:00:00Z", "UTC", "2026-11-29T00:00Z"],
    ["a day of the month or of the week", "0 0 13 * fri", "2026-11-07T00:00:00Z", "UTC", "2026-11-13T00:00Z"],
    ["a day of the week or of the month", "0 0 13 * mon", "2026-11-09T00:00:00Z", "UTC", "2026-11-13T00:00Z"],
    ["a leap day over a century", "0 0 29 2 *", "2096-03-01T00:00:00Z", "UTC", "2104-02-29T00:00Z"],
    ["a day that never comes", "0 0 31 feb,apr *", "2026-11-30T10:00:00Z", "UTC", null],
    [
      "daily, where the clocks jump over it",
      "30 2 * * *",
      "2027-03-14T06:00:00Z",
      "America/New_York",
      "2027-03-14T07:00Z",
    ],
    ["often, where the clocks jump", "*/30 2 * * *", "2027-03-14T06:00:00Z", "America/New_York", "2027-03-15T06:00Z"],
    [
      "daily, where the hour comes twice",
      "30 1 * * *",
      "2026-11-01T05:30:00Z",
      "America/New_York",
      "2026-11-02T06:30Z",
    ],
    [
      "often, where the hour comes twice",
      "*/30 1 * * *",
      "2026-11-01T05:30:00Z",
      "America/New_York",
      "2026-11-01T06:00Z",
    ],
    ["a midnight that comes twice", "15 23 * * *", "2026-10-29T19:00:00Z", "Africa/Cairo", "2026-10-29T20:15Z"],
    [
      "often, over a midnight that is taken back",
      "*/20 * * * *",
      "2010-11-07T02:30:00Z",
      "America/St_Johns",
      "2010-11-07T02:50Z",
    ],
    ["a day that a zone left out", "0 12 30 12 *", "2011-12-01T00:00:00Z", "Pacific/Apia", "2012-12-29T22:00Z"],
  ] as const
) {
  Deno.test(
    `next_cron_time() knows ${what}: ${cron}`,
    rolledBack(database, async (sql) => assertEquals(await next(sql, cron, after, zone), expected)),
  );
}

Deno.test(
  "next_cron_time() agrees with croner on any expression, moment and zone",
  rolledBack(database, async (sql) => {
    await fc.assert(
      fc.asyncProperty(EXPRESSIONS, MOMENTS, fc.constantFrom(...ZONES), async (cron, moment, zone) => {
        const expected = new Cron(cron, { timezone: zone, mode: "5-part" }).nextRuns(3, moment);
        let after = moment;
        for (const run of expected) {
          const [row] = await sql`select private.next_cron_time(${cron}, ${after}, ${zone}) as at`;
          assertEquals(row!.at, run, `${cron} after ${after.toISOString()} in ${zone}`);
          after = run;
        }
      }),
      { numRuns: 400 },
    );
  }),
);

Deno.test(
  "cron_fault() names the field that cannot be read",
  rolledBack(database, async (sql) => {
    for (
      const [cron, expected] of [
        ["*/5 0-23/2 1,15 jan-dec mon-fri", null],
        ["  0 0 1 1 0  ", null],
        ["", "five fields are needed"],
        ["@daily", "five fields are needed"],
        ["* * * *", "five fields are needed"],
        ["* * * * * *", "five fields are needed"],
        ["60 * * * *", "minute"],
        ["5-1 * * * *", "minute"],
        ["*/0 * * * *", "minute"],
        ["*/61 * * * *", "minute"],
        ["5/10 * * * *", "minute"],
        ["1, * * * *", "minute"],
        ["-1 * * * *", "minute"],
        ["1.5 * * * *", "minute"],
        ["99999999999 * * * *", "minute"],
        ["* 24 * * *", "hour"],
        ["* * 0 * *", "day of the month"],
        ["* * L * *", "day of the month"],
        ["* * ? * *", "day of the month"],
        ["* * * 13 *", "month"],
        ["* * * january *", "month"],
        ["* * * mon *", "month"],
        ["* * * * 8", "day of the week"],
        ["* * * * mon#1", "day of the week"],
        ["* * * * mon2", "day of the week"],
      ] as const
    ) {
      const [row] = await sql`select private.cron_fault(${cron}) as fault`;
      assertEquals(row!.fault, expected, cron);
    }
  }),
);

Deno.test(
  "cron_fault() refuses what croner refuses, whatever it is",
  rolledBack(database, async (sql) => {
    const pieces = fc.constantFrom("*", "/", "-", ",", " ", "0", "1", "7", "12", "31", "59", "60", "mon", "jan", "sun");
    await fc.assert(
      fc.asyncProperty(fc.array(pieces, { maxLength: 14 }), async (written) => {
        const cron = written.join("");
        const [row] = await sql`select private.cron_fault(${cron}) is null as is_readable`;
        if (row!.is_readable) new Cron(cron, { mode: "5-part" });
      }),
      { numRuns: 500 },
    );
  }),
);
