import { assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { createTestDatabase, rolledBack, type TestDatabase } from "../../support/database.ts";
import { openedLeaves } from "../../support/opened_leaves.ts";
import { leafName } from "../foundation/monthly_tables.ts";
import { logEvents, sealAll, sealBlock, sealedEvents, sealedRows, verify } from "./sealing.ts";
import { LOG, tamper } from "./tampering.ts";

const MONTHS = 60;

/** A database whose log goes from one leaf to the next a quarter of an hour ago, as if a month had begun then. */
async function createMonthEnd(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  const { sql } = database;
  const leaf = `partitions.${await leafName(sql, "system_audit_logs", 0)}`;
  await sql.unsafe(`
    drop table ${leaf};
    create table partitions.system_audit_logs_before (like ${LOG} including all);
    create table partitions.system_audit_logs_after (like ${LOG} including all);
    select private.protect_partition('partitions.system_audit_logs_before'),
      private.protect_partition('partitions.system_audit_logs_after');
    do $$
    declare
      v_turn uuid := private.uuid_v7_floor(now() - interval '15 minutes');
    begin
      execute format('alter table ${LOG} attach partition partitions.system_audit_logs_before for values from (%L) to (%L)',
        private.uuid_v7_floor(now() - interval '1 day'), v_turn);
      execute format('alter table ${LOG} attach partition partitions.system_audit_logs_after for values from (%L) to (%L)',
        v_turn, private.uuid_v7_floor(date_trunc('month', now()) + interval '1 month'));
    end $$`).simple();
  return database;
}

/** Writes an event of half an hour ago. */
async function logEarlier(sql: Sql): Promise<string> {
  const [row] = await sql<{ id: string }[]>`
    insert into public.system_audit_logs (id, actor_type, actor_identifier, action, resource_type)
    values (private.uuid_v7(now() - interval '30 minutes'), 'service', 'dispatch', 'assign', 'trip') returning id`;
  return row!.id;
}

Deno.test("a block holds the rows of two months, and a finding in either is named", async () => {
  const database = await createMonthEnd();
  const { sql } = database;
  const before = await logEarlier(sql);
  const [after] = await logEvents(sql, "trip-1");
  await sealAll(sql);

  assertEquals((await sealedRows(sql)).flat(), [before, after]);
  assertEquals(await verify(sql), null);
  for (const [table, id] of [["before", before], ["after", after]] as const) {
    await rolledBack(database, async (sql) => {
      await tamper(sql, `partitions.system_audit_logs_${table}`, `delete from ${LOG} where id = '${id}'`);
      assertEquals((await verify(sql))?.row_id, id);
    })();
  }
  await sql.end();
});

Deno.test("rows that a new leaf takes over from the default stay as they were sealed", async () => {
  const { sql } = await createTestDatabase();
  await sql.unsafe(`drop table partitions.${await leafName(sql, "system_audit_logs", 0)}`);
  const ids = await sealedEvents(sql, "trip-1", "trip-2");

  await sql`select public.ensure_partitions()`;

  const [row] = await sql`select distinct tableoid::regclass::text as leaf from public.system_audit_logs`;
  assertEquals(row!.leaf, `partitions.${await leafName(sql, "system_audit_logs", 0)}`);
  assertEquals((await sealedRows(sql)).flat(), ids);
  assertEquals(await verify(sql), null);
  await sql.end();
});

Deno.test(`writing and sealing open few of ${MONTHS} months, and none to come`, async () => {
  const database = await createTestDatabase();
  const { sql } = database;
  await sql`
    select private.create_partition('system_audit_logs', date_trunc('month', now()) - make_interval(months => n))
    from generate_series(1, ${MONTHS}::int) as n`;
  await sealedEvents(sql, "trip-1");
  await logEvents(sql, "trip-2");

  await rolledBack(database, async (sql) => {
    for (const work of [() => sealBlock(sql), () => logEvents(sql, "trip-3")]) {
      const { used } = await openedLeaves(sql, work);

      assertEquals(used.length > 0 && used.length <= 2, true, used.join());
    }
  })();
  await sql.end();
});
