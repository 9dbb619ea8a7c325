import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { codeOf } from "../flags/flags.ts";
import { asUser, createUser } from "../foundation/people.ts";

const database = await createTestDatabase();

function test(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, body));
}

interface Made {
  id: string;
  key: string;
}

async function make(sql: TransactionSql): Promise<Made> {
  const [row] = await sql`select public.create_analytics_write_key('app', events_per_minute => 100) as made`;
  return row!.made;
}

async function find(sql: TransactionSql, key: string): Promise<string | undefined> {
  const [row] = await sql`
    select id from public.find_analytics_write_key(encode(sha256(${key}), 'hex'))`;
  return row?.id;
}

test("create_analytics_write_key() gives a key that is found by its hash and kept nowhere", async (sql) => {
  const made = await make(sql);

  assertEquals(await find(sql, made.key), made.id);
  const [row] = await sql`
    select count(*)::int from public.analytics_write_keys as key where key::text like ${`%${made.key}%`}`;
  const [log] = await sql`
    select new_data ->> 'key_sha256' as hash from public.system_audit_logs where resource_type = 'analytics_write_keys'`;
  assertEquals([row!.count, log!.hash], [0, "***"]);
});

test("rotate_analytics_write_key() takes both keys for the overlap", async (sql) => {
  const former = await make(sql);

  const [row] = await sql`select public.rotate_analytics_write_key(${former.id}) as made`;

  const made: Made = row!.made;
  assertEquals([await find(sql, former.key), await find(sql, made.key)], [former.id, made.id]);
  await sql`update public.analytics_write_keys set revoked_at = now() where id = ${former.id}`;
  assertEquals([await find(sql, former.key), await find(sql, made.key)], [undefined, made.id]);
});

test("revoke_analytics_write_key() ends a key, and rotating it later does not revive it", async (sql) => {
  const made = await make(sql);

  await sql`select public.revoke_analytics_write_key(${made.id})`;
  await sql`select public.rotate_analytics_write_key(${made.id})`;

  assertEquals(await find(sql, made.key), undefined);
});

test("revoke_analytics_write_key() of no key is refused", async (sql) => {
  const code = await codeOf(sql, (inner) => inner`select public.revoke_analytics_write_key(gen_random_uuid())`);

  assertEquals(code, "analytics_write_key_not_found");
});

test("write keys are listed for operators, without their hashes, and made by registered ones", async (sql) => {
  await make(sql);
  const user = await createUser(sql);
  const operator = { app_metadata: { role: "operator" } };
  const codeAs = (claims: Record<string, unknown>, statement: string) =>
    asUser(sql, user, (client) => codeOf(client, (inner) => inner.unsafe(statement)), claims);

  assertEquals(await codeAs({}, "select public.list_analytics_write_keys()"), "operator_required");
  assertEquals(await codeAs(operator, "select public.create_analytics_write_key('mine')"), "operator_required");
  const [row] = await asUser(
    sql,
    user,
    (client) => client`select public.list_analytics_write_keys() as listed`,
    operator,
  );
  assertEquals(row!.listed.map((key: Record<string, unknown>) => [key.name, key.key_sha256]), [["app", undefined]]);
  await sql`insert into private.operators (user_id, reason) values (${user}, 'test')`;
  await asUser(sql, user, (client) => client`select public.create_analytics_write_key('mine')`, operator);
});
