import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { append } from "./events.ts";

const INSUFFICIENT_PRIVILEGE = "42501";
const CLIENTS = ["anon", "authenticated", "service_role"] as const;

const database = await createTestDatabase();
await append(database.sql);
const [{ leaf } = { leaf: "" }] = await database.sql<{ leaf: string }[]>`
  select tableoid::regclass::text as leaf from public.event_store`;

const STATEMENTS: Record<string, (table: string) => string> = {
  update: (table) => `update ${table} set aggregate_id = aggregate_id`,
  delete: (table) => `delete from ${table}`,
  truncate: (table) => `truncate ${table} cascade`,
};

for (const table of ["public.event_store", leaf]) {
  for (const [verb, statementOf] of Object.entries(STATEMENTS)) {
    Deno.test(
      `nobody can ${verb} ${table}: no client, not the owner`,
      rolledBack(database, async (sql) => {
        for (const role of CLIENTS) {
          assertEquals(await as(sql, role, {}, (sql) => stateOf(sql, statementOf(table))), INSUFFICIENT_PRIVILEGE);
        }
        assertEquals(await stateOf(sql, statementOf(table)), INSUFFICIENT_PRIVILEGE);
      }),
    );
  }
}

for (const verb of ["delete", "truncate"]) {
  Deno.test(
    `not even the owner can ${verb} the head of a stream`,
    rolledBack(database, async (sql) => {
      assertEquals(await stateOf(sql, STATEMENTS[verb]!("public.event_streams")), INSUFFICIENT_PRIVILEGE);
    }),
  );
}

Deno.test(
  "no client writes a head, a key, a checkpoint, a snapshot or what is parked",
  rolledBack(database, async (sql) => {
    for (const table of ["event_streams", "event_keys", "event_subscriptions", "event_snapshots", "event_parked"]) {
      for (const statement of [`delete from public.${table}`, `insert into public.${table} default values`]) {
        assertEquals(
          await as(sql, "service_role", {}, (sql) => stateOf(sql, statement)),
          INSUFFICIENT_PRIVILEGE,
          statement,
        );
      }
    }
  }),
);

Deno.test(
  "the service appends and reads; people do neither",
  rolledBack(database, async (sql) => {
    assertEquals((await as(sql, "service_role", {}, (sql) => append(sql))).version, "2");
    for (const role of ["anon", "authenticated"] as const) {
      for (
        const call of [
          "append_event('trip', 't1', 'trip.moved', '{}')",
          "read_events()",
          "get_aggregate_events('trip', 't1')",
        ]
      ) {
        assertEquals(
          await as(sql, role, {}, (sql) => stateOf(sql, `select public.${call}`)),
          INSUFFICIENT_PRIVILEGE,
          call,
        );
      }
    }
  }),
);

function stateOf(sql: TransactionSql, statement: string): Promise<string> {
  return sqlStateOf(sql, (sql) => sql.unsafe(statement));
}
