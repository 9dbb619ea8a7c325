import { assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { createMonthlyTable, createPastLeaf, insertRow, leafName, leavesOf, type Retention } from "./monthly_tables.ts";
import { untilSomebodyWaits } from "./waiting.ts";

/** A database with the monthly table `rides`, and connections of three who want something of it at the same time. */
interface Traffic {
  sql: Sql;
  reader: Sql;
  writer: Sql;
}

function trafficTest(name: string, body: (traffic: Traffic) => Promise<void>, retention?: Retention): void {
  Deno.test(name, async () => {
    const database: TestDatabase = await createTestDatabase();
    const [reader, writer] = [connect(database.url), connect(database.url)];
    try {
      await createMonthlyTable(database.sql, "rides", retention);
      await body({ sql: database.sql, reader, writer });
    } finally {
      await Promise.all([database.sql, reader, writer].map((sql) => sql.end()));
    }
  });
}

/** The SQLSTATE that a promise is rejected with. */
function stateOf(work: Promise<unknown>): Promise<string> {
  return work.then(() => "00000", (error) => error.code);
}

trafficTest("ensure_partitions() is not held up by who reads one month", async ({ sql, reader }) => {
  const id = await insertRow(sql, "rides", 0);
  await reader`begin`;
  await reader`select * from public.rides where id = ${id}`;

  await sql`select public.ensure_partitions(4)`;

  assertEquals((await leavesOf(sql, "rides")).includes(await leafName(sql, "rides", 4)), true);
  await reader`commit`;
});

trafficTest(
  "ensure_partitions() waiting for a reader of everything lets writers pass, then gives up and leaves nothing",
  async ({ sql, reader, writer }) => {
    const before = await leavesOf(sql, "rides");
    await reader`begin`;
    await reader`select * from public.rides`;
    await writer`set lock_timeout = '100ms'`;

    const outcome = stateOf(sql`select public.ensure_partitions(4)`);
    await untilSomebodyWaits(writer);
    await insertRow(writer, "rides", 0);

    assertEquals(await outcome, "55P03");
    await reader`commit`;
    assertEquals(await leavesOf(sql, "rides"), before);
    const [row] = await sql`select to_regclass(${`partitions.${await leafName(sql, "rides", 4)}`}) as leaf`;
    assertEquals(row!.leaf, null);
    assertEquals((await sql`select from public.rides`).length, 1);
  },
);

trafficTest("ensure_partitions() takes along a row that is being written", async ({ sql, writer, reader }) => {
  await writer`begin`;
  const id = await insertRow(writer, "rides", 4);

  const making = sql`select public.ensure_partitions(4)`.execute();
  await untilSomebodyWaits(reader);
  await writer`commit`;
  await making;

  const [row] = await sql`select tableoid::regclass::text as leaf from public.rides where id = ${id}`;
  assertEquals(row!.leaf, `partitions.${await leafName(sql, "rides", 4)}`);
});

trafficTest(
  "ensure_partitions() does not deadlock with who reads everything and then writes",
  async ({ sql, writer, reader }) => {
    await writer`begin`;
    await writer`select * from public.rides`;

    const outcome = stateOf(sql`select public.ensure_partitions(4)`);
    await untilSomebodyWaits(reader);
    await insertRow(writer, "rides", 4);
    await writer`commit`;

    assertEquals(["00000", "55P03"].includes(await outcome), true);
  },
);

trafficTest(
  "of two who call ensure_partitions() together, the second finds nothing to do",
  async ({ sql, writer, reader }) => {
    await writer`begin`;
    await writer`select public.ensure_partitions(5)`;

    const second = sql`select public.ensure_partitions(5) as created`.execute();
    await untilSomebodyWaits(reader);
    await writer`commit`;

    assertEquals((await second)[0]!.created, 0);
  },
);

trafficTest("archive_partitions() gives up behind a reader and leaves everything", async ({ sql, reader }) => {
  const old = await createPastLeaf(sql, "rides", 5);
  await reader`begin`;
  await reader`select * from public.rides where id >= private.uuid_v7_floor(now())`;

  assertEquals(await stateOf(sql`select public.archive_partitions()`), "55P03");

  assertEquals((await leavesOf(sql, "rides")).includes(old), true);
  await reader`commit`;
  assertEquals((await sql`select public.archive_partitions()`).length, 1);
}, { detachAfter: 2 });
