import { assertEquals, assertNotEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../support/database.ts";
import { COLUMNS } from "./database/columns.ts";
import { offendersOf } from "./database/convention.ts";
import { FUNCTIONS } from "./database/functions.ts";
import { KEYS } from "./database/keys.ts";
import { PARTITIONS } from "./database/partitions.ts";
import { POLICIES } from "./database/policies.ts";
import { RELATIONS } from "./database/relations.ts";

const database = await createTestDatabase();
const conventions = { ...FUNCTIONS, ...RELATIONS, ...KEYS, ...COLUMNS, ...POLICIES, ...PARTITIONS };

for (const [name, convention] of Object.entries(conventions)) {
  Deno.test(name, rolledBack(database, async (sql) => assertEquals(await offendersOf(sql, convention), [])));

  Deno.test(
    `a breach is seen: ${name}`,
    rolledBack(database, async (sql) => {
      await sql.unsafe(convention.breach).simple();

      assertNotEquals(await offendersOf(sql, convention), []);
    }),
  );
}
