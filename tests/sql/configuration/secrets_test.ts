import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import { asKey, asOperator, documentOf, put, rollback } from "./configurations.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));
const reveal = (sql: Parameters<typeof put>[0], version: number | null = null) =>
  asOperator(
    sql,
    async (sql) =>
      (await sql`select public.reveal_secret('payments', 'limit', 'all', ${version}) as secret`)[0]!.secret,
  );

test("a secret stands in the Vault and nowhere else", async (sql) => {
  const entry = await put(sql, { value: "hush-1", isSecret: true });
  await sql`set constraints all immediate`;

  assertEquals([entry.value, entry.secret_id !== null], [null, true]);
  for (const table of ["configurations", "configuration_history", "system_audit_logs", "event_store"]) {
    const [row] = await sql.unsafe(
      `select count(*)::int as count from public.${table} as row where row::text like '%hush%'`,
    );
    assertEquals(row!.count, 0, table);
  }
});

test("a service's document masks its secrets unless it asks, and asking is in the audit log", async (sql) => {
  await put(sql, { value: "hush-1", isSecret: true });

  const masked = await asKey(sql, "svc_payments", (sql) => documentOf(sql, "payments", "production"));
  const asked = await asKey(sql, "svc_payments", (sql) => documentOf(sql, "payments", "production", true));

  assertEquals([masked.entries.limit!.value, asked.entries.limit!.value], [null, "hush-1"]);
  const logged =
    await sql`select actor_identifier, metadata from public.system_audit_logs where action = 'secrets_revealed'`;
  assertEquals(logged.map(({ actor_identifier, metadata }) => [actor_identifier, Object.keys(metadata)]), [[
    "svc_payments",
    ["limit"],
  ]]);
});

test("a service's key reaches no other service's configuration", async (sql) => {
  await put(sql, { value: "hush-1", isSecret: true });

  for (
    const work of [
      () => refusalOf(sql, (sql) => asKey(sql, "svc_rides", (sql) => documentOf(sql, "payments", "production", true))),
      () => refusalOf(sql, (sql) => asKey(sql, "svc_rides", (sql) => put(sql, { value: "mine" }))),
      () => refusalOf(sql, (sql) => asKey(sql, "svc_rides", (sql) => rollback(sql, 1))),
    ]
  ) {
    assertEquals((await work())[0], "configuration_out_of_scope");
  }
});

test("reveal_secret() tells registered operators, and the audit log who asked", async (sql) => {
  await put(sql, { value: "hush-1", isSecret: true });

  assertEquals(await reveal(sql), "hush-1");
  const logged =
    await sql`select actor_type, resource_id, metadata from public.system_audit_logs where action = 'secret_revealed'`;
  assertEquals(logged.map((row) => ({ ...row })), [{
    actor_type: "operator",
    resource_id: "limit,payments,all",
    metadata: { version: 1 },
  }]);
  const unregistered = await refusalOf(
    sql,
    (sql) => asOperator(sql, (sql) => sql`select public.reveal_secret('payments', 'limit', 'all')`, false),
  );
  assertEquals(unregistered[0], "operator_required");
});

test("a rotated secret can be had back once; older ones are gone", async (sql) => {
  for (const value of ["hush-1", "hush-2", "hush-3"]) await put(sql, { value, isSecret: true });

  assertEquals([await reveal(sql), await reveal(sql, 2)], ["hush-3", "hush-2"]);
  assertEquals((await refusalOf(sql, (sql) => rollback(sql, 1)))[0], "configuration_not_found");
  await rollback(sql, 2);
  assertEquals(await reveal(sql), "hush-2");
  assertEquals((await sql`select from vault.secrets where name like 'config:%'`).length, 2);
});

test("a secret becomes neither public nor plain", async (sql) => {
  await put(sql, { value: "hush-1", isSecret: true });

  for (
    const draft of [{ value: "x", isPublic: true }, { value: "x", isSecret: false }, { value: 1 }, {
      value: "x",
      environment: "production",
    }]
  ) {
    assertEquals((await refusalOf(sql, (sql) => put(sql, draft)))[0], "configuration_invalid", JSON.stringify(draft));
  }
});
