import { assertEquals } from "@std/assert";
import { type AnsweredRequest, RequestMetrics } from "shared/metrics/request_metrics.ts";

function request(fields: Partial<AnsweredRequest> = {}): AnsweredRequest {
  return { method: "GET", route: "/example/items/:id", status: 200, code: undefined, durationMs: 12, ...fields };
}

function counted(...requests: Partial<AnsweredRequest>[]): RequestMetrics {
  const metrics = new RequestMetrics("example");
  for (const fields of requests) metrics.count(request(fields));
  return metrics;
}

Deno.test("RequestMetrics counts requests by route, method and status class", () => {
  const metrics = counted(
    { durationMs: 12 },
    { durationMs: 20, status: 204 },
    { status: 404 },
    { method: "PUT" },
    { route: "/example" },
  );

  const [first, ...others] = metrics.take();
  assertEquals(first, {
    service_name: "example",
    metric_type: "histogram",
    metric_name: "http_request_duration_seconds",
    value: 0.032,
    unit: "seconds",
    tags: { method: "GET", route: "/example/items/:id", status_class: "2xx" },
    buckets: { "0.01": 0, "0.025": 2 },
    minimum: 0.012,
    maximum: 0.02,
  });
  assertEquals(others.map(({ tags }) => tags), [
    { method: "GET", route: "/example/items/:id", status_class: "4xx" },
    { method: "PUT", route: "/example/items/:id", status_class: "2xx" },
    { method: "GET", route: "/example", status_class: "2xx" },
  ]);
});

Deno.test("RequestMetrics counts problems by their code", () => {
  const conflict = { status: 409, code: "conflict" };

  const problems = counted(conflict, conflict, { status: 404, code: "not_found" }, {}).take()
    .filter(({ metric_name }) => metric_name === "http_request_problems_total");

  assertEquals(problems, [
    {
      service_name: "example",
      metric_type: "counter",
      metric_name: "http_request_problems_total",
      value: 2,
      tags: { method: "GET", route: "/example/items/:id", code: "conflict" },
    },
    {
      service_name: "example",
      metric_type: "counter",
      metric_name: "http_request_problems_total",
      value: 1,
      tags: { method: "GET", route: "/example/items/:id", code: "not_found" },
    },
  ]);
});

Deno.test("RequestMetrics has one series for all methods that nobody has heard of", () => {
  const [metric, ...others] = counted({ method: "FROBNICATE" }, { method: "get" }).take();

  assertEquals([metric!.tags!.method, others], ["_OTHER", []]);
});

Deno.test("RequestMetrics has one series for all paths that no route serves", () => {
  const [metric, ...others] = counted({ route: undefined }, { route: undefined }).take();

  assertEquals([metric!.tags!.route, others], ["unmatched", []]);
});

Deno.test("take() begins anew", () => {
  const metrics = counted({}, {});
  assertEquals(metrics.requestCount, 2);

  metrics.take();

  assertEquals([metrics.requestCount, metrics.take()], [0, []]);
});
