import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { undone } from "../whatsapp/undone.ts";
import { known, listed, NOW, told, WABA } from "./listings.ts";

const database = await createTestDatabase();
const test = (name: string, run: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, run));

test("events and listings end the same, in whatever order they are learned and however often", async (sql) => {
  const news = fc.record({
    isListing: fc.boolean(),
    status: fc.constantFrom("APPROVED", "PAUSED", "DISABLED"),
    minutes: fc.integer({ min: 1, max: 9 }),
  });
  const scenario = fc.array(news, { minLength: 1, maxLength: 8 }).chain((log) =>
    fc.tuple(fc.constant(log), fc.shuffledSubarray([...log, ...log], { minLength: log.length * 2 }))
  );
  await fc.assert(
    fc.asyncProperty(scenario, async ([log, order]) => {
      await undone(sql, async (inner) => {
        for (const { isListing, status, minutes } of order) {
          if (isListing) await listAsOf(inner, status, minutes);
          else await told(inner, status, minutes);
        }

        assertEquals((await known(inner))?.status, latest(log));
      });
    }),
    { numRuns: 60 },
  );
});

interface News {
  isListing: boolean;
  status: string;
  minutes: number;
}

/** By whole seconds, as events are, so that a listing and an event may be of one time. */
async function listAsOf(sql: TransactionSql, status: string, minutes: number): Promise<void> {
  await sql`select public.upsert_whatsapp_templates(
    ${WABA}, ${sql.json([listed({ status })] as never)}, to_timestamp(${NOW - 60 * minutes}))`;
}

/** What is to hold: the newest; of one time the last by the alphabet within a source, the first between sources. */
function latest(log: News[]): string {
  const newest = Math.min(...log.map(({ minutes }) => minutes));
  const sources = Object.values(
    Object.groupBy(log.filter(({ minutes }) => minutes === newest), ({ isListing }) => `${isListing}`),
  );
  return sources.map((source) => source!.map(({ status }) => status).sort().at(-1)!).sort()[0]!;
}
