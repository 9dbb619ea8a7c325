import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import {
  createDailyKeyedTable,
  createMonthlyTable,
  createPastLeaf,
  dropLeaves,
  insertRow,
  leafName,
  leavesOf,
} from "./monthly_tables.ts";

const database = await createTestDatabase();

Deno.test(
  "ensure_partitions() makes the months that are missing, and nothing when called again",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides");
    const before = await leavesOf(sql, "rides");
    await dropLeaves(sql, "rides", 0, 2, 3);

    const [first] = await sql`select public.ensure_partitions() as created`;
    const [second] = await sql`select public.ensure_partitions() as created`;

    assertEquals([first!.created, second!.created], [3, 0]);
    assertEquals(await leavesOf(sql, "rides"), before);
  }),
);

Deno.test(
  "ensure_partitions() looks as far ahead as it is told",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides");

    await sql`select public.ensure_partitions(6)`;

    assertEquals((await leavesOf(sql, "rides")).at(-2), await leafName(sql, "rides", 6));
  }),
);

Deno.test(
  "ensure_partitions() refuses what is no number of months",
  rolledBack(database, async (sql) => {
    for (const months of [-1, 25, null]) {
      assertEquals(await sqlStateOf(sql, (sql) => sql`select public.ensure_partitions(${months})`), "PGRST");
    }
  }),
);

Deno.test(
  "ensure_partitions() makes up for months that went by while nobody called it",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides");
    await createPastLeaf(sql, "rides", 3);
    await dropLeaves(sql, "rides", 0);
    await insertRow(sql, "rides", -1, "a month ago");
    await insertRow(sql, "rides", 0, "this month");

    await sql`select public.ensure_partitions()`;

    const rows = await sql`select tableoid::regclass::text as leaf, "Note" as note from public.rides order by id`;
    assertEquals([...rows], [
      { leaf: `partitions.${await leafName(sql, "rides", -1)}`, note: "a month ago" },
      { leaf: `partitions.${await leafName(sql, "rides", 0)}`, note: "this month" },
    ]);
  }),
);

Deno.test(
  "ensure_partitions() moves what the default partition holds of a month, unchanged",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides");
    await insertRow(sql, "rides", 4, "moves");
    await insertRow(sql, "rides", 9, "stays");
    const before = await sql`select * from public.rides order by id`;

    await sql`select public.ensure_partitions(4)`;

    const leaves = await sql`select tableoid::regclass::text as leaf from public.rides order by id`;
    assertEquals(leaves.map((row) => row.leaf), [
      `partitions.${await leafName(sql, "rides", 4)}`,
      "partitions.rides_default",
    ]);
    assertEquals([...await sql`select * from public.rides order by id`], [...before]);
  }),
);

Deno.test(
  "rows of a new leaf are as guarded as those of the others",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides");
    await insertRow(sql, "rides", 4);
    await insertRow(sql, "rides", 9);
    await sql`select public.ensure_partitions(4)`;

    assertEquals(
      await sqlStateOf(
        sql,
        (sql) => sql`delete from public.rides where id < private.uuid_v7_floor(now() + interval '6 months')`,
      ),
      "42501",
    );
    assertEquals(await sqlStateOf(sql, (sql) => sql`delete from partitions.rides_default`), "42501");
    assertEquals(await sqlStateOf(sql, (sql) => insertRow(sql, "rides", 4, "x".repeat(21))), "23514");
  }),
);

Deno.test(
  "a new leaf has row level security and refuses to be truncated",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides");
    await sql`select public.ensure_partitions(4)`;
    const leaf = `partitions.${await leafName(sql, "rides", 4)}`;

    const [row] = await sql`select relrowsecurity from pg_class where oid = ${leaf}::regclass`;
    assertEquals(row!.relrowsecurity, true);
    for (const table of [leaf, "partitions.rides_default", "public.rides"]) {
      assertEquals(await sqlStateOf(sql, (sql) => sql.unsafe(`truncate ${table}`)), "42501", table);
    }
  }),
);

Deno.test(
  "a leaf's positions come from its parent's sequence",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides");
    for (const ahead of [0, 5, 1, 5]) await insertRow(sql, "rides", ahead);
    await sql`select public.ensure_partitions(5)`;
    await insertRow(sql, "rides", 5);

    const rows = await sql`select position::int from public.rides order by position`;
    assertEquals(rows.map((row) => row.position), [1, 2, 3, 4, 5]);
  }),
);

Deno.test(
  "months begin and end at midnight UTC, whatever the caller's time zone",
  rolledBack(database, async (sql) => {
    await sql`set local timezone = 'America/New_York'`;
    await createMonthlyTable(sql, "rides");
    await sql`select public.ensure_partitions(24)`;

    await sql`set local timezone = 'UTC'`;
    const [row] = await sql`
      select count(*)::int as leaves, count(*) filter (where pg_get_expr(leaf.relpartbound, leaf.oid) = format(
        'FOR VALUES FROM (%L) TO (%L)', private.uuid_v7_floor(month), private.uuid_v7_floor(month + interval '1 month')
      ))::int as right
      from private.partition_leaves join pg_class as leaf on leaf.oid = partition_leaves.leaf
      where table_name = 'rides' and month is not null`;
    assertEquals([row!.leaves, row!.right], [25, 25]);
  }),
);

Deno.test(
  "December ends where January begins",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides");
    await sql`set local timezone = 'America/New_York'`;
    for (const month of ["2035-12-01Z", "2036-01-01Z"]) {
      await sql`select private.create_partition('rides', ${month}::text::timestamptz)`;
    }

    const rows = await sql`
      insert into public.rides (id)
      select private.uuid_v7(at::timestamptz) from unnest(array[
        '2035-12-01 00:00:00Z', '2035-12-31 23:59:59.999999Z', '2036-01-01 00:00:00Z', '2036-01-31 23:59:59.999999Z'
      ]) as at
      returning tableoid::regclass::text as leaf`;
    assertEquals(rows.map((row) => row.leaf.slice(-7)), ["2035_12", "2035_12", "2036_01", "2036_01"]);
  }),
);

Deno.test(
  "a table keyed by day is cut by the same months",
  rolledBack(database, async (sql) => {
    await createDailyKeyedTable(sql, "visits");
    await sql`insert into public.visits values ('2035-12-31', 'moves'), ('2036-01-01', 'stays')`;
    await sql`insert into public.visits select (now() at time zone 'UTC')::date, 'today'`;
    await sql`select private.create_partition('visits', '2035-12-01Z')`;

    const rows = await sql`select tableoid::regclass::text as leaf, id from public.visits order by day`;
    assertEquals([...rows], [
      { leaf: `partitions.${await leafName(sql, "visits", 0)}`, id: "today" },
      { leaf: "partitions.visits_2035_12", id: "moves" },
      { leaf: "partitions.visits_default", id: "stays" },
    ]);
  }),
);

Deno.test(
  "a look-up by id opens one leaf",
  rolledBack(database, async (sql) => {
    await createMonthlyTable(sql, "rides");
    const id = await insertRow(sql, "rides", 1);

    const plan = await sql.unsafe(`explain (costs off) select * from public.rides where id = '${id}'`);

    const text = plan.map((row) => row["QUERY PLAN"]).join("\n");
    assertEquals(text.match(/rides_(\d{4}_\d{2}|default) /g), [`${await leafName(sql, "rides", 1)} `]);
  }),
);
