import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { createMonthlyTable, createPastLeaf, dropLeaves, insertRow } from "./monthly_tables.ts";

const database = await createTestDatabase();

interface Health {
  leaf_count: number;
  months_ahead: number;
  default_has_rows: boolean;
  archived_count: number;
  is_healthy: boolean;
}

async function healthOf(sql: TransactionSql, table: string): Promise<Health> {
  const [row] = await sql<[Health]>`
    select leaf_count::int, months_ahead, default_has_rows, archived_count::int, is_healthy
    from public.partition_health where table_name = ${table}`;
  return { ...row };
}

Deno.test(
  "partition_health says that a table just made is well",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides");

    assertEquals(await healthOf(sql, "rides"), {
      leaf_count: 4,
      months_ahead: 3,
      default_has_rows: false,
      archived_count: 0,
      is_healthy: true,
    });
  }),
);

for (
  const { missing, months_ahead, is_healthy } of [
    { missing: [3], months_ahead: 2, is_healthy: true },
    { missing: [2, 3], months_ahead: 1, is_healthy: true },
    { missing: [1, 2, 3], months_ahead: 0, is_healthy: false },
    { missing: [1], months_ahead: 0, is_healthy: false },
    { missing: [0], months_ahead: -1, is_healthy: false },
    { missing: [0, 1, 2, 3], months_ahead: -1, is_healthy: false },
  ]
) {
  Deno.test(
    `partition_health counts ${months_ahead} months ahead when the leaves of months ${missing} are missing`,
    rolledBack(database, async (sql) => {
      await createMonthlyTable(sql, "rides");
      await dropLeaves(sql, "rides", ...missing);

      const health = await healthOf(sql, "rides");

      assertEquals([health.months_ahead, health.is_healthy], [months_ahead, is_healthy]);
    }),
  );
}

Deno.test(
  "partition_health does not count a leaf that is no longer attached",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides");
    const [row] = await sql`select leaf::text from private.partition_leaves
      where table_name = 'rides' and month > now() order by month limit 1`;
    await sql.unsafe(`alter table public.rides detach partition ${row!.leaf}`);

    assertEquals((await healthOf(sql, "rides")).months_ahead, 0);
  }),
);

Deno.test(
  "partition_health shows rows that fell into the default partition",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides");
    await insertRow(sql, "rides", 9);

    const { default_has_rows, is_healthy } = await healthOf(sql, "rides");

    assertEquals([default_has_rows, is_healthy], [true, false]);
  }),
);

Deno.test(
  "partition_health counts what is archived",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides", { detachAfter: 2 });
    for (const monthsAgo of [5, 4]) await createPastLeaf(sql, "rides", monthsAgo);
    await sql`select public.archive_partitions()`;

    const { leaf_count, archived_count, is_healthy } = await healthOf(sql, "rides");

    assertEquals([leaf_count, archived_count, is_healthy], [4, 2, true]);
  }),
);

Deno.test(
  "partition_health and partition care are the service's alone",
  rolledBack(database, async (sql) => {
    const calls = [
      "select * from public.partition_health",
      "select public.ensure_partitions()",
      "select public.archive_partitions()",
    ];
    for (const call of calls) {
      for (const role of ["anon", "authenticated"] as const) {
        assertEquals(await sqlStateOf(sql, (sql) => as(sql, role, {}, (sql) => sql.unsafe(call))), "42501", call);
      }
      assertEquals(
        await sqlStateOf(sql, (sql) => as(sql, "service_role", {}, (sql) => sql.unsafe(call))),
        "00000",
        call,
      );
    }
  }),
);
