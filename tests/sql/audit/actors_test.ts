import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { as, createTestDatabase, rolledBack } from "../../support/database.ts";
import { auditRows, createVehicles } from "./audited_table.ts";

const PERSON = "6f1c7c2e-8f0e-4c5b-9d5e-250788000000";
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const database = await createTestDatabase();
await createVehicles(database.sql);

type Role = Parameters<typeof as>[1];

/** Who the log says inserted a vehicle, for a request of that role with these claims and headers. */
async function actorOf(
  sql: TransactionSql,
  role: Role,
  claims: Record<string, unknown>,
  headers: Record<string, string> = {},
): Promise<string[]> {
  await sql`select set_config('request.headers', ${JSON.stringify(headers)}, true)`;
  await as(sql, role, claims, (sql) => sql`insert into public.vehicles values (gen_random_uuid())`);
  const { actor_type, actor_identifier } = (await auditRows(sql)).at(-1)!;
  return [actor_type, actor_identifier];
}

function actorTest(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, body));
}

actorTest("a person is named by the token's subject", async (sql) => {
  assertEquals(await actorOf(sql, "authenticated", { sub: PERSON }), ["user", PERSON]);
});

actorTest("an operator is told from other people by the token", async (sql) => {
  const operator = { sub: PERSON, app_metadata: { role: "operator" } };

  assertEquals(await actorOf(sql, "authenticated", operator), ["operator", PERSON]);
});

actorTest("a person cannot become another by x-actor", async (sql) => {
  assertEquals(await actorOf(sql, "authenticated", { sub: PERSON }, { "x-actor": "default" }), ["user", PERSON]);
  assertEquals(await actorOf(sql, "anon", {}, { "x-actor": "default" }), ["anonymous", "anon"]);
});

actorTest("a secret key is named by x-actor, or else by its role", async (sql) => {
  assertEquals(await actorOf(sql, "service_role", {}, { "x-actor": "svc_dispatch" }), ["service", "svc_dispatch"]);
  assertEquals(await actorOf(sql, "service_role", {}), ["service", "service_role"]);
  assertEquals(await actorOf(sql, "service_role", {}, { "x-actor": "" }), ["service", "service_role"]);
});

actorTest("an x-actor of any kind does not keep a change from being written", async (sql) => {
  for (const header of ["a:b:c", "x".repeat(10_000), "\n", "½ 😀", "'; drop table vehicles; --"]) {
    const [type, identifier] = await actorOf(sql, "service_role", {}, { "x-actor": header });
    assertEquals([type, identifier], ["service", [...header].slice(0, 255).join("")]);
  }
});

actorTest("a session without a token is named by its user, or by the role that it took", async (sql) => {
  await sql`insert into public.vehicles values ('RAB 123 C')`;
  await sql`set local role service_role`;
  await sql`delete from public.vehicles`;
  await sql`reset role`;

  const actors = (await auditRows(sql)).map(({ actor_type, actor_identifier }) => [actor_type, actor_identifier]);
  assertEquals(actors, [["database", "postgres"], ["service", "service_role"]]);
});

Deno.test("the superuser is no exception", async () => {
  const superuser = connect(database.superuserUrl);
  await superuser`insert into public.vehicles values ('RAB 999 Z')`;
  await superuser`delete from public.vehicles`;
  await superuser.end();

  const actors = new Set((await auditRows(database.sql)).map((row) => `${row.actor_type} ${row.actor_identifier}`));
  assertEquals([...actors], ["database supabase_admin"]);
});

actorTest("a change carries the request's correlation id, or that of the work that it continues", async (sql) => {
  const traceparent = `00-${TRACE}-00f067aa0ba902b7-01`;
  await actorOf(sql, "authenticated", { sub: PERSON }, { "x-correlation-id": "fare-1", traceparent });
  await actorOf(sql, "authenticated", { sub: PERSON }, { traceparent });
  await sql`select private.continue_correlation('fare-2')`;
  await actorOf(sql, "service_role", {}, { "x-correlation-id": "worker-7" });

  const ids = (await auditRows(sql)).slice(-3).map((row) => row.correlation_id);
  assertEquals(ids, ["fare-1", TRACE, "fare-2"]);
});
