import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { metric, record, refusedArgument, requests } from "./metrics.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("record_metric() stores one value", async (sql) => {
  await sql`select public.record_metric('worker', 'gauge', 'queue_depth', 12.5, 'messages', '{"queue": "sms", "shard": 2}')`;

  const [row] = await sql`select * from public.system_metrics`;
  const { id: _id, created_at: _at, ...stored } = row!;
  assertEquals({ ...stored }, {
    service_name: "worker",
    metric_type: "gauge",
    metric_name: "queue_depth",
    value: 12.5,
    unit: "messages",
    tags: { queue: "sms", shard: 2 },
    buckets: null,
    minimum: null,
    maximum: null,
    observation_count: "1",
  });
});

test("record_metric() needs no unit and no tags", async (sql) => {
  await sql`select public.record_metric('worker', 'counter', 'jobs_total', 3)`;

  const [row] = await sql`select unit, tags from public.system_metrics`;
  assertEquals({ ...row }, { unit: null, tags: {} });
});

for (const value of ["NaN", "Infinity", "-Infinity"]) {
  test(`record_metric() refuses ${value}`, async (sql) => {
    const refused = await refusedArgument(
      sql,
      (sql) => sql`select public.record_metric('worker', 'gauge', 'queue_depth', ${value}::text::double precision)`,
    );

    assertEquals(refused.argument, "value");
  });
}

test("record_metric() knows counters, gauges and histograms only", async (sql) => {
  const state = await sqlStateOf(sql, (sql) => sql`select public.record_metric('worker', 'summary', 'queue_depth', 1)`);

  assertEquals(state, "22P02");
});

test("record_metrics() stores a batch and says how many", async (sql) => {
  const count = await record(sql, [metric(), metric({ unit: null, tags: null }), requests({ "0.25": 0, "0.5": 3 })]);

  const rows = await sql`select metric_name, observation_count::int as count from public.system_metrics order by id`;
  assertEquals(count, 3);
  assertEquals(rows.map((row) => [row.metric_name, row.count]), [
    ["queue_depth", 1],
    ["queue_depth", 1],
    ["http_request_duration_seconds", 3],
  ]);
});

test("record_metrics() takes an empty batch", async (sql) => {
  assertEquals(await record(sql, []), 0);
});

test("record_metrics() takes 1000 metrics, and refuses one more", async (sql) => {
  assertEquals(await record(sql, Array(1000).fill(metric())), 1000);

  const refused = await refusedArgument(sql, (sql) => record(sql, Array(1001).fill(metric())));
  assertEquals(refused.argument, "batch");
});

for (const batch of [null, {}, metric(), "[]", 1]) {
  test(`record_metrics() refuses ${JSON.stringify(batch)}, which is no array`, async (sql) => {
    const refused = await refusedArgument(
      sql,
      (sql) => sql`select public.record_metrics(${JSON.stringify(batch)}::text::jsonb)`,
    );

    assertEquals(refused.argument, "batch");
  });
}

/** Each is wrong in one argument. */
const WRONG: [argument: string, element: unknown][] = [
  ["metric", "queue_depth"],
  ["metric", null],
  ["metric", []],
  ["service_name", metric({ service_name: undefined })],
  ["service_name", metric({ service_name: null })],
  ["service_name", metric({ service_name: "" })],
  ["service_name", metric({ service_name: "250788000000" })],
  ["service_name", metric({ service_name: "w".repeat(64) })],
  ["metric_type", metric({ metric_type: undefined })],
  ["metric_type", metric({ metric_type: "summary" })],
  ["metric_name", metric({ metric_name: "queue-depth" })],
  ["metric_name", metric({ metric_name: "1st" })],
  ["metric_name", metric({ metric_name: "queue_depth\n" })],
  ["metric_name", metric({ metric_name: "q".repeat(101) })],
  ["value", metric({ value: undefined })],
  ["value", metric({ value: "many" })],
  ["value", metric({ value: true })],
  ["value", metric({ value: "NaN" })],
  ["value", metric({ metric_type: "counter", value: -1 })],
  ["unit", metric({ unit: "" })],
  ["unit", metric({ unit: "francs a day" })],
  ["tags", metric({ tags: ["sms"] })],
  ["tags", metric({ tags: "sms" })],
  ["tags", metric({ tags: { "queue-name": "sms" } })],
  ["tags", metric({ tags: { queue: null } })],
  ["tags", metric({ tags: { queue: { name: "sms" } } })],
  ["tags", metric({ tags: { queue: ["sms"] } })],
  ["tags", metric({ tags: { queue: "q".repeat(2000) } })],
  ["tag", metric({ tag: {} })],
  ["buckets", metric({ buckets: { 1: 1 }, minimum: 1, maximum: 1 })],
  ["buckets", requests({})],
  ["buckets", requests({ "1": 0 })],
  ["buckets", requests({ "1": -1, "2": 1 })],
  ["buckets", requests({ "1": 1.5 })],
  ["buckets", requests({ "1": 1e30 })],
  ["buckets", requests({ "1": "1" as never })],
  ["buckets", requests({ "about 1": 1 })],
  ["buckets", { ...requests({ "1": 1 }), minimum: undefined }],
  ["maximum", { ...requests({ "1": 1 }), maximum: "Infinity" }],
];

for (const [argument, element] of WRONG) {
  test(`record_metrics() refuses a batch for its second element: ${JSON.stringify(element)?.slice(0, 160)}`, async (sql) => {
    const refused = await refusedArgument(sql, (sql) => record(sql, [metric(), element, metric()]));

    assertEquals(refused, { index: 1, argument });
    assertEquals((await sql`select from public.system_metrics`).length, 0);
  });
}

for (const metric_name of ["a", "_", "job:duration:sum", "HTTP_requests_total", "q".repeat(100)]) {
  test(`record_metrics() takes the name ${metric_name.slice(0, 30)}`, async (sql) => {
    assertEquals(await record(sql, [metric({ metric_name })]), 1);
  });
}

test("record_metrics() takes bounds in every form that numbers have, and the last bucket", async (sql) => {
  const buckets = { "-2": 1, "0": 1, "0.005": 1, "1e-7": 1, "1e+21": 1, "+Inf": 1 };

  await record(sql, [requests(buckets)]);

  const [row] = await sql`select buckets, observation_count::int as count from public.system_metrics`;
  assertEquals({ ...row }, { buckets, count: 6 });
});
