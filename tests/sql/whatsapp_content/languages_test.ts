import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";

const database = await createTestDatabase();

const CHOICES: [available: string[], wanted: string | null, chosen: string | null][] = [
  [["en", "rw_RW", "fr"], "rw", "rw_RW"],
  [["en", "rw"], "rw", "rw"],
  [["rw_RW", "rw"], "rw", "rw"],
  [["en_US", "en_GB", "en"], "en", "en"],
  [["en_US", "en_GB"], "en", "en_GB"],
  [["en_US", "en_GB"], "en-US", "en_US"],
  [["EN_us", "fr"], "en_US", "EN_us"],
  [["fr", "en"], "sw", "en"],
  [["fr", "en_GB"], "sw", "en_GB"],
  [["fr", "sw"], "rw", "fr"],
  [["fr", "en"], null, "en"],
  [[], "rw", null],
];

for (const [available, wanted, chosen] of CHOICES) {
  Deno.test(
    `of ${available.join(", ") || "none"} matching_language() speaks ${chosen} to ${wanted}`,
    rolledBack(database, async (sql) => {
      const [row] = await sql<{ code: string | null }[]>`
        select private.matching_language(${available}::text[], ${wanted}) as code`;

      assertEquals(row!.code, chosen);
    }),
  );
}
