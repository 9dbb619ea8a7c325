import { assertEquals } from "@std/assert";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import { asKey, asOperator, documentOf, put, rollback } from "./configurations.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));
type Sql = Parameters<typeof put>[0];

/** What a registered operator is answered, or another: the secret, or the code of the refusal. */
async function reveal(sql: Sql, version: number | null = null, isRegistered = true): Promise<string> {
  const [row] = await asOperator(
    sql,
    (sql) => sql`select public.reveal_secret('payments', 'limit', 'all', ${version}) as answer`,
    isRegistered,
  );
  return row!.answer.code ?? row!.answer;
}

/** Who was refused which secret why, as the audit log has it. */
async function refusals(sql: Sql): Promise<unknown[]> {
  const rows = await sql`
    select actor_type, resource_id, metadata ->> 'code' as code from public.system_audit_logs
    where action = 'secret_reveal_refused' order by id`;
  return rows.map((row) => Object.values(row));
}

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
      () => refusalOf(sql, (sql) => asKey(sql, "svc_rides", (sql) => documentOf(sql, "payments", "production"))),
      () => refusalOf(sql, (sql) => asKey(sql, "svc_rides", (sql) => put(sql, { value: "mine" }))),
      () => refusalOf(sql, (sql) => asKey(sql, "svc_rides", (sql) => rollback(sql, 1))),
    ]
  ) {
    assertEquals((await work())[0], "configuration_out_of_scope");
  }
  const asked = await asKey(sql, "svc_rides", (sql) => documentOf(sql, "payments", "production", true));
  assertEquals((asked as unknown as { code: string }).code, "configuration_out_of_scope");
  assertEquals(await refusals(sql), [["service", "payments,production", "configuration_out_of_scope"]]);
});

test("x-actor is believed of the secret key alone", async (sql) => {
  await put(sql, { value: "hush-1", isSecret: true });
  await sql`select set_config('request.headers', '{"x-actor": "svc_payments"}', true)`;

  for (const role of ["anon", "authenticated"] as const) {
    for (
      const attempt of [
        "get_service_configs('payments', 'production', true)",
        "record_secret_refusal('user', 'x', 'y', 'z')",
      ]
    ) {
      const state = await sqlStateOf(
        sql,
        (sql) => as(sql, role, { sub: crypto.randomUUID() }, (sql) => sql.unsafe(`select public.${attempt}`)),
      );
      assertEquals(state, "42501", `${role} ${attempt}`);
    }
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
});

test("reveal_secret() refuses by an answer, so that the audit log keeps who tried", async (sql) => {
  await put(sql, { value: "hush-1", isSecret: true });
  await put(sql, { key: "word", value: "plain" });

  assertEquals(await reveal(sql, null, false), "operator_required");
  assertEquals((await sql`select current_setting('response.status') as status`)[0]!.status, "403");
  assertEquals(await reveal(sql, 7), "configuration_not_found");
  const [plain] = await asOperator(sql, (sql) => sql`select public.reveal_secret('payments', 'word', 'all') as answer`);
  assertEquals(plain!.answer.code, "configuration_not_found");
  const [user] = await asUser(
    sql,
    await createUser(sql),
    (sql) => sql`select public.reveal_secret('payments', 'limit', 'all') as answer`,
  );
  assertEquals(user!.answer.code, "operator_required");

  assertEquals(await refusals(sql), [
    ["operator", "limit,payments,all", "operator_required"],
    ["operator", "limit,payments,all", "configuration_not_found"],
    ["operator", "word,payments,all", "configuration_not_found"],
    ["user", "limit,payments,all", "operator_required"],
  ]);
});

test("whoever tries in a loop is refused every time, and logged ten times a minute", async (sql) => {
  const id = await createUser(sql);
  const codes = await asUser(
    sql,
    id,
    (sql) =>
      sql`select public.reveal_secret('payments', 'limit', 'all') ->> 'code' as code from generate_series(1, 25)`,
  );

  assertEquals(new Set(codes.map(({ code }) => code)), new Set(["operator_required"]));
  assertEquals((await refusals(sql)).length, 10);
});

test("a deleted secret is gone for good: not revealed, not had back, no longer in the Vault", async (sql) => {
  for (const value of ["hush-1", "hush-2"]) await put(sql, { value, isSecret: true });
  await sql`select public.delete_config('payments', 'limit', 'all')`;

  for (const version of [null, 1, 2, 3]) assertEquals(await reveal(sql, version), "configuration_not_found");
  for (const version of [1, 2]) {
    assertEquals((await refusalOf(sql, (sql) => rollback(sql, version)))[0], "configuration_not_found");
  }
  assertEquals((await sql`select from vault.secrets where name like 'config:%'`).length, 0);
  assertEquals((await asKey(sql, "default", (sql) => documentOf(sql, "payments", "production", true))).entries, {});

  await put(sql, { value: "hush-4", isSecret: true });
  assertEquals([await reveal(sql), await reveal(sql, 2)], ["hush-4", "configuration_not_found"]);
});

test("going back to where it was deleted forgets a secret too", async (sql) => {
  await put(sql, { value: "hush-1", isSecret: true });
  await sql`select public.delete_config('payments', 'limit', 'all')`;
  await put(sql, { value: "hush-3", isSecret: true });

  await rollback(sql, 2);

  assertEquals((await sql`select from vault.secrets where name like 'config:%'`).length, 0);
});

test("what is a secret now does not become plain by going back", async (sql) => {
  await put(sql, { value: "plain" });
  await sql`select public.delete_config('payments', 'limit', 'all')`;
  await put(sql, { value: "hush-3", isSecret: true });

  assertEquals((await refusalOf(sql, (sql) => rollback(sql, 1)))[0], "configuration_invalid");
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
