import { assertEquals, assertNotEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { LIMITS } from "./limits.ts";
import { type Problem, problemsOf } from "./payloads.ts";

const database = await createTestDatabase();

for (const { what, lowest = 1, highest, unit, pointer, of } of LIMITS) {
  Deno.test(
    `${what}: from ${lowest} to ${highest} ${unit}`,
    rolledBack(database, async (sql) => {
      const at = async (measure: number) => faultsIn(await problemsOf(sql, of(measure)));

      assertEquals(await at(lowest), []);
      assertEquals(await at(highest), []);
      assertEquals(await at(highest + 1), [pointer]);
      // Of what may be absent altogether there is nothing less.
      if (lowest > 0 || unit === "degrees" || unit === "number") assertNotEquals(await at(lowest - 1), []);
    }),
  );
}

/** Where the faults are; of cards that are all the same, on any of them. */
function faultsIn(problems: Problem[]): string[] {
  return [...new Set(problems.map(({ pointer }) => pointer.replace(/(?<=\/cards\/)\d+/, "*")))];
}
