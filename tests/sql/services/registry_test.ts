import { assert, assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { asKey, asOperator } from "../configuration/configurations.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { beat, discover, feed, register, silence, statusOf, tend } from "./services.ts";

const database = await createTestDatabase();
Deno.test.afterAll(() => database.sql.end());

function test(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, body));
}

/** The code that `work` is refused with, or "done". */
async function outcome(sql: TransactionSql, work: (sql: TransactionSql) => Promise<unknown>): Promise<string> {
  try {
    await sql.savepoint(work);
    return "done";
  } catch (error) {
    return JSON.parse((error as Error).message).code;
  }
}

/** Updates of the registry by this session that are not reported yet. */
async function updatesOf(sql: TransactionSql): Promise<{ all: number; hot: number }> {
  const [row] = await sql`
    select pg_stat_get_xact_tuples_updated(id)::int as all, pg_stat_get_xact_tuples_hot_updated(id)::int as hot
    from (values ('public.service_registry'::regclass)) as registry (id)`;
  return row as unknown as { all: number; hot: number };
}

test("register_service() makes an instance passing at once, or once its address has answered", async (sql) => {
  const plain = await register(sql);
  const checked = await register(sql, { instance_id: "b", health_check_url: "https://rides.example.com/health" });

  assertEquals([plain.status, plain.is_new, plain.instance_id, plain.ttl_seconds], ["passing", true, "default", 30]);
  assertEquals(checked.status, "critical");
});

test("register_service() again replaces what was registered, and says so once", async (sql) => {
  await register(sql);
  await register(sql);
  const again = await register(sql, { version: "2.0.0" });
  await sql`set constraints all immediate`;

  const [row] = await sql`select version from public.service_registry`;
  assertEquals([again.is_new, row!.version], [false, "2.0.0"]);
  assertEquals(await feed(sql), ["registered default", "changed default"]);
});

test("register_service() refuses what nobody could use", async (sql) => {
  const wrong: [string, Record<string, unknown>][] = [
    ["service_name", { service_name: "Rides" }],
    ["instance_id", { instance_id: "a b" }],
    ["endpoint", { endpoint: "https://user:secret@rides.example.com" }],
    ["endpoint", { endpoint: "file:///etc/passwd" }],
    ["endpoint", { endpoint: "https://rides.example.com/?path=" }],
    ["health_check_url", { health_check_url: "https://rides.example.com/#top" }],
    ["capabilities", { capabilities: ["ok", null] }],
    ["dependencies", { dependencies: ["Not A Name"] }],
    ["ttl_seconds", { ttl_seconds: 1 }],
  ];

  for (const [argument, fields] of wrong) {
    const error = await sql.savepoint((inner) => register(inner, fields)).catch((thrown: Error) => thrown);
    const problem = JSON.parse((error as Error).message);
    assertEquals([problem.code, JSON.stringify(problem).includes(argument)], ["invalid_argument", true]);
  }
});

test("service_heartbeat() is a HOT update without an event, but for a change of status", async (sql) => {
  await register(sql);
  const before = await updatesOf(sql);

  await beat(sql, "passing", { metrics: { requests: 7 } });
  await beat(sql);
  await beat(sql, "warning");
  await beat(sql, "warning");
  await sql`set constraints all immediate`;

  const after = await updatesOf(sql);
  assertEquals([after.all - before.all, after.hot - before.hot], [4, 4]);
  const [row] = await sql`select metrics from public.service_registry`;
  assertEquals(row!.metrics, { requests: 7 });
  assertEquals(await feed(sql), ["registered default", "status_changed default passing>warning heartbeat"]);
});

test("an instance that is silent is critical, and passing again with its next heartbeat", async (sql) => {
  await register(sql);
  await silence(sql);

  await tend(sql);
  assertEquals(await statusOf(sql), "critical");
  await tend(sql);
  assertEquals((await beat(sql)).status, "passing");

  await sql`set constraints all immediate`;
  assertEquals((await feed(sql)).slice(1), [
    "status_changed default passing>critical silence",
    "status_changed default critical>passing heartbeat",
  ]);
});

test("an instance that stays silent is deregistered, and told so when it beats", async (sql) => {
  await register(sql);
  await silence(sql);
  await tend(sql);
  await sql`update public.service_registry set expired_at = now() - interval '14 minutes'`;
  await tend(sql);
  assertEquals(await statusOf(sql), "critical");
  await sql`update public.service_registry set expired_at = now() - interval '16 minutes'`;

  await tend(sql);

  assertEquals(await statusOf(sql), undefined);
  assertEquals(await outcome(sql, (inner) => beat(inner)), "service_not_found");
  await sql`set constraints all immediate`;
  assertEquals((await feed(sql)).at(-1), "deregistered default silence");
});

test("when many fall silent at once nobody is deregistered for a day, and each is found as before", async (sql) => {
  for (const instance_id of ["a", "b", "c", "d"]) await register(sql, { instance_id });
  for (const instance of ["a", "b", "c"]) await silence(sql, instance);
  await tend(sql);
  await sql`update public.service_registry set expired_at = now() - interval '23 hours' where expired_at is not null`;

  await tend(sql);
  assertEquals((await discover(sql, { include_unhealthy: true })).length, 4);
  await sql`update public.service_registry set expired_at = now() - interval '25 hours' where expired_at is not null`;
  await tend(sql);

  assertEquals(await discover(sql, { include_unhealthy: true }), ["d"]);
});

test("after an outage of the database everybody has their time to beat again", async (sql) => {
  await register(sql);
  await silence(sql, "default", "2 days");

  await tend(sql);
  await tend(sql);

  assertEquals(await statusOf(sql), "critical");
  assertEquals((await beat(sql)).status, "passing");
});

test("discover_services() prefers those that are well, and gives the others only where there is nobody else", async (sql) => {
  for (const instance_id of ["well", "tired", "silent", "lost"]) await register(sql, { instance_id });
  await beat(sql, "warning", { instance: "tired" });
  await silence(sql, "silent", "5 minutes");
  await silence(sql, "lost", "1 hour");
  await tend(sql);

  assertEquals(await discover(sql, { service_name: "rides" }), ["well", "tired"]);
  assertEquals(await discover(sql, { include_unhealthy: true }), ["well", "tired", "silent", "lost"]);
  await sql`select public.deregister_service('rides', 'well'), public.deregister_service('rides', 'tired')`;
  assertEquals(await discover(sql), ["silent", "lost"]);
});

test("discover_services() finds by type, version and capabilities", async (sql) => {
  await register(sql, { instance_id: "a", capabilities: ["maps", "pooling"] });
  await register(sql, { instance_id: "b", capabilities: ["maps"], version: "2.0.0", service_type: "worker" });

  assertEquals(await discover(sql, { capabilities: ["pooling", "maps"] }), ["a"]);
  assertEquals(await discover(sql, { version: "2.0.0" }), ["b"]);
  assertEquals(await discover(sql, { service_type: "worker", capabilities: ["maps"] }), ["b"]);
  assertEquals(await discover(sql, { service_name: "nobody" }), []);
});

test("set_service_maintenance() takes an instance out whatever it says, until it is put back", async (sql) => {
  await register(sql);
  await sql`select public.set_service_maintenance('rides', 'default', 'a new disk')`;

  assertEquals([(await beat(sql)).status, await discover(sql)], ["critical", []]);
  await sql`select public.set_service_maintenance('rides', 'default', null)`;
  assertEquals([await statusOf(sql), await discover(sql)], ["passing", ["default"]]);
});

test("a broken dependency makes a warning of who needs it, and takes it nowhere; a circle ends", async (sql) => {
  await register(sql, { dependencies: ["payments"] });
  assertEquals(await statusOf(sql), "warning");

  await register(sql, { service_name: "payments", dependencies: ["rides", "maps"] });

  assertEquals([await statusOf(sql), await statusOf(sql, "payments")], ["passing", "warning"]);
  const [seen] = await sql`select * from public.service_health_overview where service_name = 'payments'`;
  assertEquals([seen!.status, seen!.broken_dependencies, await discover(sql, { service_name: "payments" })], [
    "warning",
    ["maps"],
    ["default"],
  ]);
});

test("service_health_overview counts instances, and is as well as they are together", async (sql) => {
  for (const instance_id of ["a", "b", "c"]) await register(sql, { instance_id, version: instance_id });
  const overview = async () => {
    const [row] = await sql`select * from public.service_health_overview`;
    return [row!.status, row!.passing_count, row!.warning_count, row!.critical_count].map(String);
  };

  assertEquals(await overview(), ["passing", "3", "0", "0"]);
  await beat(sql, "critical", { instance: "a" });
  assertEquals(await overview(), ["warning", "2", "0", "1"]);
  await beat(sql, "critical", { instance: "b" });
  await beat(sql, "critical", { instance: "c" });
  assertEquals(await overview(), ["critical", "0", "0", "3"]);
});

test("a service's key speaks for that service alone", async (sql) => {
  const attempt = (key: string, service_name: string) =>
    asKey(sql, key, (own) => outcome(own, (inner) => register(inner, { service_name, instance_id: "b" })));

  assertEquals(await attempt("svc_payments_intake", "payments-intake"), "done");
  assertEquals(await attempt("svc_rides", "payments-intake"), "service_out_of_scope");
  assertEquals(await attempt("default", "payments-intake"), "done");
  const others: ((sql: TransactionSql) => Promise<unknown>)[] = [
    (own) => beat(own, "critical", { service: "payments-intake" }),
    (own) => own`select public.deregister_service('payments-intake')`,
    (own) => own`select public.set_service_maintenance('payments-intake', 'default', 'why not')`,
    (own) => own`select public.rotate_service_secret('payments-intake')`,
    (own) => own`select public.handle_jobs_by_service('send', 'payments-intake', '/jobs', 'x')`,
  ];
  for (const other of others) {
    assertEquals(await asKey(sql, "svc_rides", (own) => outcome(own, other)), "service_out_of_scope");
  }
});

test("operators find services and put them into maintenance; others and visitors may nothing", async (sql) => {
  await register(sql);
  const person = await createUser(sql);
  const maintain = (inner: TransactionSql) => inner`select public.set_service_maintenance('rides', 'default', 'moved')`;

  assertEquals(await asOperator(sql, (own) => discover(own)), ["default"]);
  assertEquals(await asOperator(sql, (own) => outcome(own, maintain), false), "operator_required");
  assertEquals(await asOperator(sql, (own) => outcome(own, maintain)), "done");
  assertEquals(await asUser(sql, person, (own) => outcome(own, (inner) => discover(inner))), "operator_required");
  const overview = (inner: TransactionSql) => inner`select * from public.list_service_health()`;
  assertEquals((await asOperator(sql, overview)).length, 1);
  assertEquals(await asUser(sql, person, (own) => outcome(own, overview)), "operator_required");
  assertEquals(await asUser(sql, person, (own) => sqlStateOf(own, (inner) => register(inner))), "42501");
  assertEquals(await asUser(sql, person, (own) => sqlStateOf(own, (inner) => beat(inner))), "42501");
});

test("a service has a thousand instances at most", async (sql) => {
  await sql`
    insert into public.service_registry (service_name, instance_id, service_type, version, capabilities, dependencies, ttl_seconds)
    select 'rides', 'i' || n, 'http', '1', '{}', '{}', 30 from generate_series(1, 1000) as n`;

  assertEquals(await outcome(sql, (inner) => register(inner)), "too_many_service_instances");
  assert(!(await register(sql, { instance_id: "i1" })).is_new);
});
