import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { sealedEvents } from "./sealing.ts";

const INSUFFICIENT_PRIVILEGE = "42501";
const CLIENTS = ["anon", "authenticated", "service_role"] as const;

const database = await createTestDatabase();
await sealedEvents(database.sql, "trip-1");
const [{ leaf } = { leaf: "" }] = await database.sql<{ leaf: string }[]>`
  select tableoid::regclass::text as leaf from public.system_audit_logs`;

const TABLES = ["public.system_audit_logs", leaf, "public.audit_seals"];
const VERBS: Record<string, (table: string) => string> = {
  update: (table) => `update ${table} set cluster_id = 1`,
  "update to the same": (table) => `update ${table} set cluster_id = cluster_id`,
  delete: (table) => `delete from ${table}`,
  truncate: (table) => `truncate ${table}`,
  merge: (table) => `merge into ${table} as log using (values (1)) as one on true when matched then delete`,
};

for (const table of TABLES) {
  for (const [verb, statementOf] of Object.entries(VERBS)) {
    Deno.test(
      `nobody can ${verb} ${table}: no client, not the owner`,
      rolledBack(database, async (sql) => {
        for (const role of CLIENTS) {
          assertEquals(
            await as(sql, role, {}, (sql) => stateOf(sql, statementOf(table))),
            INSUFFICIENT_PRIVILEGE,
            role,
          );
        }
        assertEquals(await stateOf(sql, statementOf(table)), INSUFFICIENT_PRIVILEGE, "the owner");
      }),
    );

    Deno.test(`not even a superuser can ${verb} ${table}`, async () => {
      const superuser = connect(database.superuserUrl);
      const state = await superuser.unsafe(statementOf(table)).then(() => "00000", (error) => error.code);
      await superuser.end();

      assertEquals(state, INSUFFICIENT_PRIVILEGE);
    });
  }

  Deno.test(
    `no client can insert into ${table}`,
    rolledBack(database, async (sql) => {
      const statement = `insert into ${table} (cluster_id) values (1)`;

      for (const role of CLIENTS) {
        assertEquals(await as(sql, role, {}, (sql) => stateOf(sql, statement)), INSUFFICIENT_PRIVILEGE, role);
      }
    }),
  );
}

Deno.test(
  "the owner cannot change a row by inserting it again",
  rolledBack(database, async (sql) => {
    const state = await stateOf(
      sql,
      `insert into public.system_audit_logs (id, actor_type, actor_identifier, action, resource_type)
      select id, 'user', 'forged', 'forged', 'forged' from public.system_audit_logs
      on conflict (id) do update set action = 'forged'`,
    );

    assertEquals(state, INSUFFICIENT_PRIVILEGE);
  }),
);

Deno.test(
  "rows that a new leaf takes over from the default cannot be changed there either",
  rolledBack(database, async (sql) => {
    await sql`
      insert into public.system_audit_logs (id, actor_type, actor_identifier, action, resource_type)
      values (private.uuid_v7('2035-12-31 23:59Z'), 'user', 'somebody', 'assign', 'trip')`;
    await sql`select private.create_partition('system_audit_logs', '2035-12-01Z')`;

    for (const [verb, statementOf] of Object.entries(VERBS)) {
      const state = await stateOf(sql, statementOf("partitions.system_audit_logs_2035_12"));
      assertEquals(state, INSUFFICIENT_PRIVILEGE, verb);
    }
  }),
);

function stateOf(sql: TransactionSql, statement: string): Promise<string> {
  return sqlStateOf(sql, (sql) => sql.unsafe(statement));
}
