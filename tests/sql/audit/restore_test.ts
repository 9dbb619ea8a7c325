import { assert, assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { withMigratedPostgres } from "../../../scripts/stack/throwaway.ts";
import { createTestDatabase } from "../../support/database.ts";
import { logEvents, sealBlock, sealedEvents, sealedRows, verify } from "./sealing.ts";
import { found } from "./tampering.ts";

const TABLES: Record<string, string> = {
  "public.system_audit_logs": `id, actor_type, actor_identifier, action, resource_type, resource_id, old_data, new_data,
    metadata, correlation_id, cluster_id, transaction_id`,
  "public.audit_seals": "*",
  "private.audit_chain": "*",
};

Deno.test("a log that is restored into another cluster, and back, is whole and goes on", async () => {
  const old = await createTestDatabase();
  await useTransactionIds(old.sql, 5_000);
  const [sealed] = await sealedEvents(old.sql, "sealed there");
  const left = await logEvents(old.sql, "left over", "left over too");

  await withMigratedPostgres("restored", async ({ url }) => {
    const sql = connect(url);
    await restore(old.sql, sql);
    const [early] = await logEvents(sql, "written before anything is sealed here");
    assert(await transactionOf(sql, early!) < await transactionOf(sql, sealed!), "transaction ids began anew");
    assertEquals(await verify(sql), null);

    for (const _ of [...left, early]) await sealBlock(sql, 1);
    const [late] = await sealedEvents(sql, "written afterwards");

    assertEquals(await sealedRows(sql), [[], [sealed], [left[0]], [left[1]], [early], [late]]);
    assertEquals(await clusterCount(sql), 2);
    assertEquals(await verify(sql), null);

    await logEvents(sql, "left over as well");
    const home = await createTestDatabase();
    await restore(sql, home.sql);
    await sealedEvents(home.sql, "home again");

    assertEquals((await sealedRows(home.sql)).flat().length, 7);
    assertEquals(await verify(home.sql), null);
    assertEquals(await verify(home.sql, 2), null);

    const forged = await forgeLaterRow(sql, sealed!);
    assertEquals(await verify(sql), found(null, "inserted", forged));
    await Promise.all([sql, home.sql].map((sql) => sql.end()));
  });
  await old.sql.end();
});

/** Copies the log and its seals as a dump and its restoration do: no trigger fires, every value is kept. */
async function restore(from: Sql, to: Sql): Promise<void> {
  for (const [table, columns] of Object.entries(TABLES)) {
    const [dump] = await from.unsafe(`select jsonb_agg(to_jsonb(row))::text as rows from ${table} as row`);
    await to.begin(async (sql) => {
      await sql.unsafe(`alter table ${table} disable trigger user; delete from ${table}`).simple();
      await sql.unsafe(
        `insert into ${table} ${columns === "*" ? "" : `(${columns})`}
        select ${columns} from jsonb_populate_recordset(null::${table}, $1::text::jsonb)`,
        [dump!.rows],
      );
      await sql.unsafe(`alter table ${table} enable trigger user`);
    });
  }
}

/** Uses up transaction ids, so that a new cluster's are smaller. */
async function useTransactionIds(sql: Sql, count: number): Promise<void> {
  await sql.unsafe(`do $$ begin
    for i in 1..${count} loop
      perform pg_current_xact_id();
      commit;
    end loop;
  end $$`);
}

async function transactionOf(sql: Sql, id: string): Promise<number> {
  const [row] = await sql`select transaction_id::text as number from public.system_audit_logs where id = ${id}`;
  return Number(row!.number);
}

async function clusterCount(sql: Sql): Promise<number> {
  const [row] = await sql`select count(distinct cluster_id)::int as count from public.audit_seals`;
  return row!.count;
}

/** Inserts a row as if the cluster of that one had written it after its last block. */
async function forgeLaterRow(sql: Sql, like: string): Promise<string> {
  const [row] = await sql`
    insert into public.system_audit_logs (actor_type, actor_identifier, action, resource_type, cluster_id, transaction_id)
    select actor_type, actor_identifier, 'forged', resource_type, cluster_id, '18446744073709551614'
    from public.system_audit_logs where id = ${like} returning id`;
  return row!.id;
}
