import { assertAlmostEquals, assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { age, metric, record, requests } from "./metrics.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

async function recent(sql: TransactionSql): Promise<Record<string, unknown>[]> {
  const rows = await sql`
    select *, observation_count::int as observation_count from public.recent_metrics_by_service
    order by service_name, metric_name, unit`;
  return rows.map(({ last_recorded_at: _, ...row }) => row);
}

test("recent_metrics_by_service sums a gauge up: how often, between which values, and the last", async (sql) => {
  for (const value of [4, 9, 2]) await record(sql, [metric({ value })]);

  const [{ p95, ...row } = {}, ...others] = await recent(sql);
  assertEquals(others, []);
  assertEquals(row, {
    service_name: "worker",
    metric_name: "queue_depth",
    metric_type: "gauge",
    unit: null,
    observation_count: 3,
    total: null,
    minimum: 2,
    maximum: 9,
    average: 5,
    last_value: 2,
  });
  assertAlmostEquals(p95 as number, 8.25);
});

test("recent_metrics_by_service adds a counter up and gives it no quantile", async (sql) => {
  await record(sql, [3, 4].map((value) => metric({ metric_type: "counter", metric_name: "jobs_total", value })));

  const [row] = await recent(sql);
  assertEquals([row!.total, row!.p95, row!.observation_count], [7, null, 2]);
});

test("recent_metrics_by_service counts the observations of a histogram, single and in buckets", async (sql) => {
  const single = { ...requests({}), buckets: undefined, minimum: undefined, maximum: undefined, value: 2 };
  await record(sql, [{ ...requests({ "0.5": 0, "1": 9 }, {}, { minimum: 0.6, maximum: 0.9 }), value: 7 }, single]);

  const [row] = await recent(sql);
  assertEquals(
    [row!.observation_count, row!.total, row!.average, row!.minimum, row!.maximum, row!.last_value],
    [10, 9, 0.9, 0.6, 2, 2],
  );
  assertEquals(row!.p95, 1.5);
});

test("recent_metrics_by_service keeps services, names and units apart", async (sql) => {
  const units = [undefined, "messages", "seconds"].map((unit) => metric({ unit }));
  await record(sql, [...units, metric({ service_name: "operations" }), metric({ metric_name: "queue_age" })]);

  assertEquals((await recent(sql)).map((row) => [row.service_name, row.metric_name, row.unit]), [
    ["operations", "queue_depth", null],
    ["worker", "queue_age", null],
    ["worker", "queue_depth", "messages"],
    ["worker", "queue_depth", "seconds"],
    ["worker", "queue_depth", null],
  ]);
});

test("recent_metrics_by_service looks back 24 hours", async (sql) => {
  await record(sql, [metric({ value: 100 })]);
  await age(sql, "2 hours");
  await record(sql, [metric({ value: 1000 })]);
  await age(sql, "23 hours");
  await record(sql, [metric({ value: 1 })]);

  const [row] = await recent(sql);
  assertEquals([row!.observation_count, row!.maximum], [2, 1000]);
});

async function requestMetrics(sql: TransactionSql, period: string): Promise<Record<string, unknown>[]> {
  const rows = await sql`
    select *, request_count::int as request_count, failed_count::int as failed_count
    from public.request_metrics where period = ${period} order by service_name, route, method`;
  return rows.map(({ period: _, ...row }) => row);
}

test("request_metrics shows each route's requests, failures, quantiles and slowest", async (sql) => {
  await record(sql, [
    requests({ "0.005": 0, "0.01": 50 }, {}, { minimum: 0.005, maximum: 0.01 }),
    requests({ "0.05": 0, "0.1": 40 }, { status_class: "4xx" }, { minimum: 0.05, maximum: 0.1 }),
    requests({ "2.5": 0, "5": 10 }, { status_class: "5xx" }, { minimum: 2.5, maximum: 4.5 }),
  ]);

  assertEquals(await requestMetrics(sql, "hour"), [{
    service_name: "payment-intake",
    method: "POST",
    route: "/payment-intake/payments",
    request_count: 100,
    failed_count: 10,
    failed_share: 0.1,
    p50_seconds: 0.01,
    p95_seconds: 3.5,
    p99_seconds: 4.3,
    slowest_seconds: 4.5,
  }]);
});

test("request_metrics keeps functions, routes and methods apart", async (sql) => {
  const other = { ...requests({ "1": 1 }), service_name: "config-fetch" };
  await record(sql, [
    other,
    requests({ "1": 1 }),
    requests({ "1": 1 }, { method: "GET" }),
    requests({ "1": 1 }, { route: "unmatched" }),
  ]);

  assertEquals((await requestMetrics(sql, "day")).map((row) => [row.service_name, row.route, row.method]), [
    ["config-fetch", "/payment-intake/payments", "POST"],
    ["payment-intake", "/payment-intake/payments", "GET"],
    ["payment-intake", "/payment-intake/payments", "POST"],
    ["payment-intake", "unmatched", "POST"],
  ]);
});

test("request_metrics tells the last hour from the last day, and forgets what is older", async (sql) => {
  for (const [count, interval] of [[1, "22 hours"], [10, "2 hours"], [100, "59 minutes"]] as const) {
    await record(sql, [requests({ "1": count })]);
    await age(sql, interval);
  }
  await record(sql, [requests({ "1": 1000 })]);

  assertEquals((await requestMetrics(sql, "hour")).map((row) => row.request_count), [1100]);
  assertEquals((await requestMetrics(sql, "day")).map((row) => row.request_count), [1110]);
});

test("request_problems shows which codes each route answers", async (sql) => {
  const problem = (code: string, value: number) =>
    metric({
      service_name: "payment-intake",
      metric_type: "counter",
      metric_name: "http_request_problems_total",
      value,
      tags: { method: "POST", route: "/payment-intake/payments", code },
    });
  await record(sql, [problem("conflict", 2), problem("internal_error", 1)]);
  await age(sql, "2 hours");
  await record(sql, [problem("conflict", 3)]);

  const rows = await sql`
    select code, last_hour_count::int as hour, last_day_count::int as day from public.request_problems order by code`;
  assertEquals(rows.map((row) => [row.code, row.hour, row.day]), [["conflict", 3, 5], ["internal_error", 0, 1]]);
});
