import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack, sqlStateOf } from "../support/database.ts";

const INSUFFICIENT_PRIVILEGE = "42501";
const database = await createTestDatabase();

Deno.test(
  "neither a partitioned table nor a leaf can be truncated, even by its owner",
  rolledBack(database, async (sql) => {
    const tables = await sql<{ name: string }[]>`
      select oid::regclass::text as name from pg_class
      where relnamespace in ('public'::regnamespace, 'partitions'::regnamespace)
        and (relkind = 'p' or relnamespace = 'partitions'::regnamespace and relkind = 'r')`;

    const states = new Set<string>();
    for (const { name } of tables) {
      states.add(await sqlStateOf(sql, (inner) => inner.unsafe(`truncate ${name} cascade`)));
    }

    assertEquals([...states], [INSUFFICIENT_PRIVILEGE]);
  }),
);

Deno.test(
  "a leaf made later cannot be truncated either",
  rolledBack(database, async (sql) => {
    await sql`select private.create_partition('whatsapp_events', '2030-01-01')`;

    const state = await sqlStateOf(sql, (inner) => inner`truncate partitions.whatsapp_events_2030_01`);

    assertEquals(state, INSUFFICIENT_PRIVILEGE);
  }),
);
