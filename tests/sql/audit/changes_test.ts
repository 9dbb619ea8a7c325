import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { type AuditRow, auditRows, createVehicles } from "./audited_table.ts";

const database = await createTestDatabase();
await createVehicles(database.sql);

function changesTest(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, body));
}

changesTest("audit_changes() keeps the row that was inserted", async (sql) => {
  await sql`insert into public.vehicles values ('RAB 123 C', 4, null)`;

  const [row] = await auditRows(sql);
  assertEquals(what(row!), ["insert", "vehicles", "RAB 123 C"]);
  assertEquals([row!.old_data, row!.new_data], [null, { plate: "RAB 123 C", seats: 4, secret: "***" }]);
});

changesTest("audit_changes() keeps of an update what changed, before and after", async (sql) => {
  await sql`insert into public.vehicles values ('RAB 123 C', 4, 'a')`;
  await sql`update public.vehicles set seats = null, secret = 'a'`;

  const [, row] = await auditRows(sql);
  assertEquals(what(row!), ["update", "vehicles", "RAB 123 C"]);
  assertEquals([row!.old_data, row!.new_data], [{ seats: 4 }, { seats: null }]);
});

changesTest("audit_changes() keeps the row that was deleted", async (sql) => {
  await sql`insert into public.vehicles values ('RAB 123 C', 4, 'a')`;
  await sql`delete from public.vehicles`;

  const [, row] = await auditRows(sql);
  assertEquals(what(row!), ["delete", "vehicles", "RAB 123 C"]);
  assertEquals([row!.old_data, row!.new_data], [{ plate: "RAB 123 C", seats: 4, secret: "***" }, null]);
});

changesTest("audit_changes() shows that a masked column changed, never its value", async (sql) => {
  await sql`insert into public.vehicles values ('RAB 123 C', 4, 'canary-1')`;
  await sql`update public.vehicles set secret = 'canary-2'`;
  await sql`update public.vehicles set secret = null`;
  await sql`delete from public.vehicles`;

  const rows = await auditRows(sql);
  assertEquals([rows[1]!.old_data, rows[1]!.new_data], [{ secret: "***" }, { secret: "***" }]);
  assertEquals(JSON.stringify(rows).includes("canary"), false);
});

changesTest("audit_changes() leaves no trace of an update that changes nothing", async (sql) => {
  await sql`insert into public.vehicles values ('RAB 123 C', 4, 'a')`;
  await sql`update public.vehicles set seats = 4, secret = 'a'`;

  assertEquals((await auditRows(sql)).length, 1);
});

changesTest("audit_changes() files a row whose key changes under the key that it had", async (sql) => {
  await sql`insert into public.vehicles values ('RAB 123 C')`;
  await sql`update public.vehicles set plate = 'RAB 124 C'`;

  const [, row] = await auditRows(sql);
  assertEquals(row!.resource_id, "RAB 123 C");
  assertEquals(row!.new_data, { plate: "RAB 124 C" });
});

changesTest("audit_changes() writes each row of a statement, upserts and merges too", async (sql) => {
  await sql`insert into public.vehicles select 'RAB ' || n || ' C' from generate_series(1, 3) as n`;
  await sql`insert into public.vehicles values ('RAB 1 C', 2) on conflict (plate) do update set seats = excluded.seats`;
  await sql`merge into public.vehicles as vehicle using (values ('RAB 2 C')) as sold (plate) on vehicle.plate = sold.plate
    when matched then delete`;

  const actions = (await auditRows(sql)).map(({ action, resource_id }) => `${action} ${resource_id}`);
  assertEquals(actions, ["insert RAB 1 C", "insert RAB 2 C", "insert RAB 3 C", "update RAB 1 C", "delete RAB 2 C"]);
});

changesTest("audit_changes() notes that a table was emptied", async (sql) => {
  await sql`truncate public.vehicles`;

  const [row] = await auditRows(sql);
  assertEquals(what(row!), ["truncate", "vehicles", null]);
});

changesTest("audit_changes() undoes its entry with the change", async (sql) => {
  await sqlStateOf(sql, async (sql) => {
    await sql`insert into public.vehicles values ('RAB 123 C')`;
    await sql`select 1 / 0`;
  });

  assertEquals(await auditRows(sql), []);
});

changesTest("audit_changes() writes times in UTC, whatever the session's zone", async (sql) => {
  await sql`set local timezone = 'Africa/Kigali'`;
  await sql`create table public.rides (id integer primary key, at timestamptz)`;
  await sql`select private.audit_table('public.rides')`;
  await sql`insert into public.rides values (1, '2026-11-01 12:00:00Z')`;

  assertEquals((await auditRows(sql))[0]!.new_data!.at, "2026-11-01T12:00:00+00:00");
});

changesTest("audit_changes() gives the rows of a partitioned table their parent's name", async (sql) => {
  await sql`create table public.rides (id integer primary key) partition by range (id)`;
  await sql`create table partitions.rides_1 partition of public.rides default`;
  await sql`select private.audit_table('public.rides')`;
  await sql`insert into partitions.rides_1 values (1)`;
  await sql`delete from public.rides`;

  assertEquals((await auditRows(sql)).map((row) => row.resource_type), ["rides", "rides"]);
});

changesTest("audit_table() joins the parts of a composite key, in the key's order", async (sql) => {
  await sql`create table public.seats (note text, row integer, plate text, primary key (plate, row))`;
  await sql`select private.audit_table('public.seats')`;
  await sql`insert into public.seats values ('window', 2, 'RAB 123 C')`;

  assertEquals((await auditRows(sql))[0]!.resource_id, "RAB 123 C,2");
});

changesTest("audit_table() again replaces what is masked", async (sql) => {
  await sql`select private.audit_table('public.vehicles', '{seats}')`;
  await sql`insert into public.vehicles values ('RAB 123 C', 4, 'a')`;

  const rows = await auditRows(sql);
  assertEquals(rows.map((row) => row.new_data), [{ plate: "RAB 123 C", seats: "***", secret: "a" }]);
});

changesTest("audit_table() wants a primary key, and columns that exist", async (sql) => {
  await sql`create table public.keyless (id integer)`;

  for (const call of ["'public.keyless'", "'public.vehicles', '{secrets}'", "'public.vehicles', null"]) {
    assertEquals(await sqlStateOf(sql, (sql) => sql.unsafe(`select private.audit_table(${call})`)), "22023", call);
  }
});

changesTest("changes of profiles and operators are in the log, without names and numbers", async (sql) => {
  const userId = crypto.randomUUID();
  await sql`insert into auth.users (id) values (${userId})`;
  await sql`insert into public.profiles (user_id, phone, full_name) values (${userId}, '+250788000001', 'Aline')`;
  await sql`insert into private.operators (user_id, reason) values (${userId}, 'on call')`;
  await sql`delete from auth.users where id = ${userId}`;

  const rows = await auditRows(sql);
  assertEquals(rows.map(({ action, resource_type }) => `${action} ${resource_type}`).sort(), [
    "delete operators",
    "insert operators",
    "insert profiles",
    "update profiles",
  ]);
  assertEquals(/Aline|250788/.test(JSON.stringify(rows)), false);
});

function what({ action, resource_type, resource_id }: AuditRow): [string, string, string | null] {
  return [action, resource_type, resource_id];
}
