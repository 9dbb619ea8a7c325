import { assertEquals } from "@std/assert";
import { MetricsReport } from "shared/metrics/metrics_report.ts";
import type { Metric } from "shared/metrics/request_metrics.ts";
import { Problem } from "shared/problem.ts";
import { useBackground } from "../../support/background.ts";
import { captureLog } from "../../support/log_lines.ts";

const log = captureLog();
const background = useBackground();
const REQUEST = { method: "GET", route: "/example", status: 200, code: undefined, durationMs: 1 };

/** A report whose batches are kept; while `isAway`, sending fails. */
function reportInto(batches: Metric[][]): { report: MetricsReport; database: { isAway: boolean } } {
  log.clear();
  const database = { isAway: false };
  const report = new MetricsReport("example", (batch) => {
    if (database.isAway) return Promise.reject(new Problem("service_unavailable", { cause: "nobody answers" }));
    batches.push(batch);
    return Promise.resolve();
  });
  return { report, database };
}

/** How many requests each batch counts. */
function requestCounts(batches: Metric[][]): number[] {
  return batches.map((batch) =>
    batch.flatMap(({ buckets }) => Object.values(buckets ?? {})).reduce((a, b) => a + b, 0)
  );
}

Deno.test("MetricsReport reports the first request at once, and then every 30 seconds", async () => {
  const batches: Metric[][] = [];
  const { report } = reportInto(batches);

  for (const seconds of [5, 6, 20, 34.9, 35, 36, 64.9, 65]) report.count(REQUEST, seconds * 1_000);

  await background.ended();
  assertEquals(requestCounts(batches), [1, 4, 3]);
});

Deno.test("MetricsReport reports the rest when the isolate ends", async () => {
  const batches: Metric[][] = [];
  const { report } = reportInto(batches);
  for (const seconds of [0, 1, 2]) report.count(REQUEST, seconds * 1_000);

  dispatchEvent(new Event("beforeunload"));
  dispatchEvent(new Event("beforeunload"));

  await background.ended();
  assertEquals(requestCounts(batches), [1, 2]);
});

Deno.test("MetricsReport drops what cannot be stored, says so once, and reports how many requests that were", async () => {
  const batches: Metric[][] = [];
  const { report, database } = reportInto(batches);
  database.isAway = true;
  for (const seconds of [0, 10, 30, 60]) {
    report.count(REQUEST, seconds * 1_000);
    await background.ended();
  }
  database.isAway = false;

  report.count(REQUEST, 90_000);
  await background.ended();
  report.count(REQUEST, 120_000);
  await background.ended();

  assertEquals(requestCounts(batches), [1, 1]);
  const unreported = batches.flat().filter(({ metric_name }) => metric_name === "http_requests_unreported_total");
  assertEquals(unreported.map(({ value }) => value), [4]);
  const { ts: _, ...line } = log.only();
  assertEquals(line, { level: "warn", event: "metrics.dropped", fn: "example", requests: 1, cause: "nobody answers" });
});

Deno.test("MetricsReport says it again when the database goes away again", async () => {
  const { report, database } = reportInto([]);
  for (const [seconds, isAway] of [[0, true], [30, false], [60, true]] as const) {
    database.isAway = isAway;
    report.count(REQUEST, seconds * 1_000);
    await background.ended();
  }

  assertEquals(log.raw.length, 2);
});
