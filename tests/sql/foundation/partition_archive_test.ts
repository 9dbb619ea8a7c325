import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { createMonthlyTable, createPastLeaf, insertRow, leafName, leavesOf } from "./monthly_tables.ts";

const database = await createTestDatabase();

Deno.test(
  "archive_partitions() detaches leaves whose last row is past the first date, and only those",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides", { detachAfter: 3 });
    for (const monthsAgo of [1, 3, 4, 5]) await createPastLeaf(sql, "rides", monthsAgo);

    const archived = await sql`select public.archive_partitions() as said`;

    assertEquals(archived.map((row) => row.said), [
      `archived partitions.${await leafName(sql, "rides", -5)}`,
      `archived partitions.${await leafName(sql, "rides", -4)}`,
    ]);
    const attached = await leavesOf(sql, "rides");
    assertEquals(attached.slice(0, 2), [await leafName(sql, "rides", -3), await leafName(sql, "rides", -1)]);
  }),
);

Deno.test(
  "archived rows are kept, guarded as before, and no longer seen through the table",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides", { detachAfter: 3 });
    const leaf = await createPastLeaf(sql, "rides", 5);
    const old = await insertRow(sql, "rides", -5);
    const recent = await insertRow(sql, "rides", 0);

    await sql`select public.archive_partitions()`;

    assertEquals([...await sql`select id from public.rides`], [{ id: recent }]);
    assertEquals([...await sql.unsafe(`select id from archive.${leaf}`)], [{ id: old }]);
    const [row] = await sql`select relrowsecurity as rls, exists (
        select from pg_trigger where tgrelid = relation.oid and tgname = 'refuse_truncate'
      ) as guarded
      from pg_class as relation where oid = ${`archive.${leaf}`}::regclass`;
    assertEquals([row!.rls, row!.guarded], [true, true]);
  }),
);

Deno.test(
  "archive_partitions() drops archived leaves past the second date",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides", { detachAfter: 3, dropAfter: 6 });
    for (const monthsAgo of [5, 6, 7, 8]) await createPastLeaf(sql, "rides", monthsAgo);

    await sql`select public.archive_partitions()`;

    const rows = await sql`select relname from pg_class
      where relnamespace = 'archive'::regnamespace and relkind = 'r' order by relname`;
    assertEquals(rows.map((row) => row.relname), [await leafName(sql, "rides", -6), await leafName(sql, "rides", -5)]);
  }),
);

Deno.test(
  "archive_partitions() keeps archived leaves that have no second date",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides", { detachAfter: 1 });
    const leaf = await createPastLeaf(sql, "rides", 24);

    await sql`select public.archive_partitions()`;

    assertEquals((await sql`select to_regclass(${`archive.${leaf}`}) as leaf`)[0]!.leaf, `archive.${leaf}`);
  }),
);

Deno.test(
  "archive_partitions() says nothing when there is nothing left to do",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides", { detachAfter: 3, dropAfter: 6 });
    for (const monthsAgo of [5, 8]) await createPastLeaf(sql, "rides", monthsAgo);
    await sql`select public.archive_partitions()`;
    await sql`select public.ensure_partitions()`;

    assertEquals((await sql`select public.archive_partitions()`).length, 0);
  }),
);

Deno.test(
  "archive_partitions() never touches a table without dates",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides");
    await createMonthlyTable(sql, "rides_in", { detachAfter: 1, dropAfter: 2 });
    const leaf = await createPastLeaf(sql, "rides", 240);

    await sql`select public.archive_partitions()`;

    assertEquals((await leavesOf(sql, "rides"))[0], leaf);
  }),
);

Deno.test(
  "ensure_partitions() does not bring archived months back",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides", { detachAfter: 3 });
    for (const monthsAgo of [5, 4, 3, 2, 1]) await createPastLeaf(sql, "rides", monthsAgo);
    await sql`select public.archive_partitions()`;
    const before = await leavesOf(sql, "rides");

    await sql`select public.ensure_partitions()`;

    assertEquals(await leavesOf(sql, "rides"), before);
  }),
);
