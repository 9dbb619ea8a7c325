import { assertEquals, assertNotEquals } from "@std/assert";
import { as, createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import { asKey, asOperator, documentOf, put, rollback } from "./configurations.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("the most specific of service and environment wins, and says where it comes from", async (sql) => {
  await put(sql, { service: "all", environment: "all", value: 1 });
  await put(sql, { service: "all", environment: "production", value: 2 });
  await put(sql, { service: "payments", environment: "all", value: 3 });
  await put(sql, { service: "payments", environment: "production", value: 4 });

  const seen = [];
  for (
    const [service, environment] of [["rides", "staging"], ["rides", "production"], ["payments", "staging"], [
      "payments",
      "production",
    ]]
  ) {
    const { value, origin } = (await documentOf(sql, service!, environment!)).entries.limit!;
    seen.push([value, `${origin.service}/${origin.environment}`]);
  }

  assertEquals(seen, [[1, "all/all"], [2, "all/production"], [3, "payments/all"], [4, "payments/production"]]);
});

test("set_config() compares before it sets", async (sql) => {
  await put(sql, { value: 1, expected: 0 });
  await put(sql, { value: 2, expected: 1 });

  assertEquals(await refusalOf(sql, (inner) => put(inner, { value: 3, expected: 1 })), [
    "configuration_version_conflict",
    { version: 2 },
  ]);
  assertEquals(await refusalOf(sql, (inner) => put(inner, { value: 3, expected: 0 })), [
    "configuration_version_conflict",
    { version: 2 },
  ]);
});

test("the same value again is no new version", async (sql) => {
  const first = await put(sql, { value: { a: 1 } });

  assertEquals((await put(sql, { value: { a: 1 } })).version, first.version);
});

test("a value keeps its schema, and those that it overrides", async (sql) => {
  await put(sql, { service: "all", value: 5, schema: { type: "integer", maximum: 10 } });

  const [code, details] = await refusalOf(sql, (inner) => put(inner, { value: 11 }));

  assertEquals([code, details], ["configuration_invalid", {
    problems: [{ pointer: "", detail: "maximum", schema_of: "all/all" }],
  }]);
});

test("a schema is not written over values that break it", async (sql) => {
  await put(sql, { service: "all", value: 5 });
  await put(sql, { value: 50 });

  const [code] = await refusalOf(sql, (inner) => put(inner, { service: "all", value: 5, schema: { maximum: 10 } }));

  assertEquals(code, "configuration_invalid");
});

test("a key has one type wherever one value can replace another", async (sql) => {
  await put(sql, { service: "all", environment: "production", value: 5 });

  assertEquals((await refusalOf(sql, (inner) => put(inner, { value: "5" })))[0], "configuration_invalid");
  await put(sql, { service: "all", environment: "staging", value: "five" });
});

test("rollback_config() makes an earlier version the next one", async (sql) => {
  await put(sql, { value: 1 });
  await put(sql, { value: 2 });

  const back = await rollback(sql, 1);

  assertEquals([back.value, back.version], [1, "3"]);
  const history =
    await sql`select version, change, restored_version from public.configuration_history order by version`;
  assertEquals(history.map((row) => [row.version, row.change, row.restored_version]), [
    ["1", "set", null],
    ["2", "set", null],
    ["3", "rolled_back", "1"],
  ]);
  assertEquals((await refusalOf(sql, (inner) => rollback(inner, 9)))[0], "configuration_not_found");
});

test("a deleted value uncovers the one below, and its versions go on", async (sql) => {
  await put(sql, { service: "all", value: 1 });
  await put(sql, { value: 2 });
  const before = (await documentOf(sql, "payments", "production")).version;

  await sql`select public.delete_config('payments', 'limit', 'all')`;

  const after = await documentOf(sql, "payments", "production");
  assertEquals([after.entries.limit!.value, after.version > before], [1, true]);
  assertEquals((await put(sql, { value: 3 })).version, "3");
});

test("the history says who, says it of operators too, and stays", async (sql) => {
  await asOperator(sql, (sql) => put(sql, { value: 1 }));
  await asKey(sql, "svc_payments", (sql) => put(sql, { value: 2 }));

  const actors = await sql`select actor_type, actor_identifier from public.configuration_history order by version`;
  assertEquals([actors[0]!.actor_type, actors[1]!.actor_type, actors[1]!.actor_identifier], [
    "operator",
    "service",
    "svc_payments",
  ]);
  assertNotEquals(await sqlStateOf(sql, (sql) => sql`update public.configuration_history set value = '3'`), "00000");
  assertNotEquals(await sqlStateOf(sql, (sql) => sql`delete from public.configuration_history`), "00000");
  assertNotEquals(await sqlStateOf(sql, (sql) => sql`truncate public.configuration_history`), "00000");
});

test("diff_config() shows what differs, leaf by leaf", async (sql) => {
  await put(sql, { value: { fees: [1, 2], name: "a" } });
  await put(sql, { value: { fees: [1, 3], other: {} } });

  const rows = await asOperator(
    sql,
    (sql) => sql`select * from public.diff_config('payments', 'limit', 'all', 1, 2)`,
    false,
  );

  assertEquals(rows.map(({ pointer, old_value, new_value }) => [pointer, old_value, new_value]), [
    ["/value/fees/1", 2, 3],
    ["/value/name", "a", null],
    ["/value/other", null, {}],
  ]);
});

test("every change is an event that carries no value", async (sql) => {
  await put(sql, { value: "plain", key: "word" });
  await put(sql, { value: "hush", key: "token", isSecret: true });
  await sql`set constraints all immediate`;

  const events =
    await sql`select event_type, aggregate_id, payload::text from public.event_store where aggregate_type = 'configuration' order by aggregate_id`;

  assertEquals(events.map(({ event_type, aggregate_id }) => [event_type, aggregate_id]), [
    ["configuration.changed", "payments/all/token"],
    ["configuration.changed", "payments/all/word"],
  ]);
  assertEquals(events.some(({ payload }) => /hush|plain/.test(payload)), false);
});

test("clients read what is public where it is most specific, and nothing else", async (sql) => {
  await put(sql, { service: "all", key: "colour", value: "red", isPublic: true });
  await put(sql, { key: "colour", value: "hidden" });
  await put(sql, { key: "phone", value: "1", isPublic: true });
  await put(sql, { key: "token", value: "hush", isSecret: true });

  for (const role of ["anon", "authenticated"] as const) {
    await as(sql, role, {}, async (sql) => {
      const [{ document }] = await sql`select public.get_public_configs('payments', 'production') as document` as [
        { document: { entries: object } },
      ];
      assertEquals(Object.keys(document.entries), ["phone"]);
      const [{ value }] = await sql`select public.get_config('payments', 'phone', 'production') as value` as [
        { value: string },
      ];
      assertEquals(value, "1");
      for (const key of ["colour", "token", "absent"]) {
        assertEquals(
          (await refusalOf(sql, (sql) => sql`select public.get_config('payments', ${key})`))[0],
          "configuration_not_found",
        );
      }
    });
  }
});

test("what is private leaves the version that clients see as it is", async (sql) => {
  await put(sql, { key: "phone", value: "1", isPublic: true });
  const version = async () =>
    (await sql`select (public.get_public_configs('payments', 'production') ->> 'version')::int as version`)[0]!.version;
  const before = await version();

  await put(sql, { key: "private", value: 1 });
  assertEquals(await version(), before);
  await put(sql, { key: "phone", value: "1", isPublic: false });
  assertEquals(await version() > before, true);
});

test("a client reads no table and calls nothing that writes or reveals", async (sql) => {
  const attempts = [
    "select from public.configurations",
    "select from public.configuration_history",
    "select from public.configuration_summary",
    "select public.set_config('payments', 'limit', '1')",
    "select public.rollback_config('payments', 'limit', 'all', 1)",
    "select public.delete_config('payments', 'limit', 'all')",
    "select public.get_service_configs('payments', 'production')",
    "select public.describe_service_configs('payments', 'production')",
    "select public.list_config_history('payments', 'limit', 'all')",
    "select public.diff_config('payments', 'limit', 'all', 1, 1)",
  ];
  for (const role of ["anon", "authenticated"] as const) {
    for (const attempt of attempts) {
      const state = await sqlStateOf(
        sql,
        (sql) => as(sql, role, { sub: crypto.randomUUID() }, (sql) => sql.unsafe(attempt)),
      );
      assertEquals(["42501", "PGRST"].includes(state), true, `${role} ${attempt} ${state}`);
    }
  }
});
