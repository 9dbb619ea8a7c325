import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { append, appendAll, draft, refusalOf, streamOf } from "./events.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("append_event() begins a stream and goes on with it", async (sql) => {
  const first = await append(sql, { event_type: "trip.asked", payload: { seats: 2, note: null } });
  const second = await append(sql, { event_type: "trip.accepted" });

  assertEquals([first.version, second.version], ["1", "2"]);
  assertEquals(
    (await streamOf(sql)).map(({ event_type, payload, version }) => [event_type, payload, version]),
    [["trip.asked", { seats: 2, note: null }, "1"], ["trip.accepted", {}, "2"]],
  );
});

test("an event keeps what it was told, whose work it was and who did it", async (sql) => {
  await sql`select set_config('request.headers', '{"x-actor": "dispatch", "x-correlation-id": "tap-1"}', true),
    set_config('request.jwt.claims', '{"role": "service_role"}', true)`;
  await append(sql, { causation_id: "command-1", schema_version: 3, metadata: { app: "moto" } });

  const [event] = await streamOf(sql);

  assertEquals(
    [event!.correlation_id, event!.causation_id, event!.schema_version, event!.metadata, event!.actor],
    ["tap-1", "command-1", 3, { app: "moto" }, "service_role:dispatch"],
  );
  assertEquals([event!.event_id, event!.occurred_at], [event!.id, event!.created_at]);
});

test("append_events() appends to several streams in its order, at one place in the whole", async (sql) => {
  const receipts = await appendAll(
    sql,
    draft({ aggregate_id: "z", occurred_at: "2026-11-01T08:00:00Z", correlation_id: "tap-2" }),
    draft({ aggregate_id: "a" }),
    draft({ aggregate_id: "z" }),
  );

  assertEquals(receipts.map(({ aggregate_id, version }) => aggregate_id + version), ["z1", "a1", "z2"]);
  assertEquals(new Set(receipts.map(({ transaction_id }) => transaction_id)).size, 1);
  assertEquals(receipts.map(({ position }) => Number(position) - Number(receipts[0]!.position)), [0, 1, 2]);
  const [told] = await streamOf(sql, "z");
  assertEquals([told!.occurred_at, told!.correlation_id], [new Date("2026-11-01T08:00:00Z"), "tap-2"]);
});

test("the ids of a stream rise with its versions, even when the clock was set back", async (sql) => {
  await append(sql);
  const [head] =
    await sql`update public.event_streams set last_event_at = last_event_at + interval '1 hour' returning last_event_at`;
  await append(sql);
  await appendAll(sql, draft(), draft(), draft({ aggregate_id: "t2" }));

  const events = await streamOf(sql);

  assertEquals(events.map(({ id }) => id), events.map(({ id }) => id).toSorted());
  assertEquals(events.slice(1).map(({ created_at }) => created_at >= head!.last_event_at), [true, true, true]);
});

test("get_aggregate_events() goes on after a version, and knows nothing of other streams", async (sql) => {
  await appendAll(sql, draft(), draft(), draft(), draft({ aggregate_id: "t2" }));

  assertEquals((await streamOf(sql, "t1", 1)).map(({ version }) => version), ["2", "3"]);
  assertEquals(await streamOf(sql, "t3"), []);
});

test("an expected version that is the stream's is taken", async (sql) => {
  await append(sql, { expected_version: 0 });
  await append(sql, { expected_version: 1 });
  await appendAll(
    sql,
    draft({ expected_version: 2 }),
    draft({ expected_version: 2 }),
    draft({ aggregate_id: "t2", expected_version: 0 }),
  );

  assertEquals((await streamOf(sql)).length, 4);
});

for (const [there, expected] of [[0, 1], [2, 0], [2, 1], [2, 3]] as const) {
  const conflict = { aggregate_type: "trip", aggregate_id: "t1", expected_version: expected, actual_version: there };

  test(`a stream at version ${there} refuses what expects ${expected}, and says where it is`, async (sql) => {
    for (let version = 0; version < there; version++) await append(sql);

    assertEquals(await refusalOf(sql, (sql) => append(sql, { expected_version: expected })), [
      "stream_version_conflict",
      conflict,
    ]);
    assertEquals(
      await refusalOf(
        sql,
        (sql) => appendAll(sql, draft({ aggregate_id: "other" }), draft({ expected_version: expected })),
      ),
      ["stream_version_conflict", conflict],
    );
    assertEquals((await streamOf(sql)).length, there);
    assertEquals(await streamOf(sql, "other"), []);
  });
}

test("events of one stream that expect different versions are refused", async (sql) => {
  const [code] = await refusalOf(
    sql,
    (sql) => appendAll(sql, draft({ expected_version: 0 }), draft({ expected_version: 1 })),
  );

  assertEquals(code, "stream_version_conflict");
});

const FAULTS: [argument: string, fields: Record<string, unknown>][] = [
  ["aggregate_type", { aggregate_type: "Trip" }],
  ["aggregate_type", { aggregate_type: null }],
  ["aggregate_type", { aggregate_type: "t".repeat(64) }],
  ["aggregate_id", { aggregate_id: "" }],
  ["aggregate_id", { aggregate_id: "a\nb" }],
  ["aggregate_id", { aggregate_id: "a".repeat(201) }],
  ["event_type", { event_type: "moved" }],
  ["event_type", { event_type: "trip." }],
  ["event_type", { event_type: "trip." + "m".repeat(123) }],
  ["payload", { payload: null }],
  ["payload", { payload: [1] }],
  ["payload", { payload: { text: "x".repeat(1_048_576) } }],
  ["causation_id", { causation_id: "" }],
  ["schema_version", { schema_version: 0 }],
  ["metadata", { metadata: [] }],
  ["metadata", { metadata: { text: "x".repeat(16_384) } }],
  ["expected_version", { expected_version: -1 }],
];

for (const [argument, fields] of FAULTS) {
  test(`an event with ${JSON.stringify(fields).slice(0, 40)} is refused for its ${argument}`, async (sql) => {
    assertEquals(await refusalOf(sql, (sql) => append(sql, fields)), ["invalid_argument", { argument }]);
    assertEquals(await refusalOf(sql, (sql) => appendAll(sql, draft(), draft(fields))), [
      "invalid_argument",
      { index: 1, argument },
    ]);
  });
}

for (
  const [argument, event] of [
    ["event", "trip.moved"],
    ["expectedVersion", draft({ expectedVersion: 0 })],
    ["event_id", draft({ event_id: "one" })],
    ["occurred_at", draft({ occurred_at: "yesterday noon" })],
    ["occurred_at", draft({ occurred_at: "infinity" })],
    ["schema_version", draft({ schema_version: 1e6 })],
    ["expected_version", draft({ expected_version: 0.5 })],
    ["correlation_id", draft({ correlation_id: "tap 1" })],
  ] as const
) {
  test(`append_events() refuses ${JSON.stringify(event).slice(-40)} for its ${argument}`, async (sql) => {
    assertEquals(await refusalOf(sql, (sql) => appendAll(sql, event)), ["invalid_argument", { index: 0, argument }]);
  });
}

test("append_events() refuses nothing, too much and what is no array", async (sql) => {
  for (const events of [[], {}, Array(1001).fill(draft()), null]) {
    const [code] = await refusalOf(sql, (sql) => sql`select public.append_events(${sql.json(events as never)})`);
    assertEquals(code, "invalid_argument");
  }
  assertEquals((await appendAll(sql, ...Array(1000).fill(draft()))).length, 1000);
});

test("record_events() tells nothing when there is nothing to tell", async (sql) => {
  const [row] = await sql`select private.record_events('{}') as receipts`;

  assertEquals(row!.receipts, []);
  assertEquals((await sql`select from public.event_streams`).length, 0);
});
