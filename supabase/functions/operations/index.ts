import { rpc, rpcResponse } from "shared/db/rpc.ts";
import { createApp } from "shared/http/app.ts";
import { auth } from "shared/http/auth.ts";
import { body } from "shared/http/body.ts";
import { param, query } from "shared/http/query.ts";
import { returns } from "shared/http/returns.ts";
import { PROMETHEUS_TEXT } from "shared/metrics/prometheus.ts";
import { metrics } from "./metrics.ts";
import { readiness } from "./readiness.ts";
import * as wire from "./schema.ts";

const app = createApp("operations");

app.get(
  "/health",
  returns({ 200: wire.Liveness }, { summary: "Whether this function runs" }),
  (c) => c.json({ status: "ok" }),
);

app.get(
  "/ready",
  auth("operator", "secret:*", "none"),
  returns({ 200: wire.Readiness, 503: wire.Readiness }, { summary: "Whether the suite can serve" }),
  async (c) => {
    const reading = await readiness(c.get("trace"));
    const isStranger = c.var.caller.mode === "none";
    return c.json(isStranger ? { status: reading.status } : reading, reading.status === "ready" ? 200 : 503);
  },
);

app.get(
  "/metrics",
  auth("token:METRICS_TOKENS"),
  returns({ 200: "Prometheus' text format" }, { summary: "What a scraper is told" }),
  async (c) => {
    const text = await metrics(c.get("trace"));
    return c.body(text, 200, { "content-type": PROMETHEUS_TEXT, "cache-control": "no-store" });
  },
);

app.get(
  "/openapi",
  returns({ 200: "An OpenAPI 3.1 document" }, { summary: "Every route of the suite" }),
  async (c) => {
    // Loaded when asked for: it is longer than everything else here.
    const { SUITE_DOCUMENT } = await import("./suite_document.ts");
    return c.body(SUITE_DOCUMENT, 200, { "content-type": "application/json", "cache-control": "public, max-age=300" });
  },
);

app.post(
  "/services",
  auth("secret:*"),
  body(wire.Registration),
  returns({ 200: wire.Registered, 201: wire.Registered }, { summary: "Register an instance of a service" }),
  async (c) => {
    const registration = c.req.valid("json");
    const { service_name, service_type, version, endpoint, health_check_url } = registration;
    const { capabilities, ttl_seconds, instance_id, dependencies } = registration;
    const registered = await rpc(c, "register_service", {
      service_name,
      service_type,
      version,
      endpoint,
      health_check_url,
      capabilities,
      ttl_seconds,
      instance_id,
      dependencies,
    });
    return c.json(registered, (registered as { is_new: boolean }).is_new ? 201 : 200);
  },
);

app.put(
  "/services/:name/heartbeat",
  auth("secret:*"),
  param(wire.ServicePath),
  body(wire.Heartbeat),
  returns({ 200: wire.Lease }, { summary: "Say that an instance lives, and how it is" }),
  async (c) => {
    const { name: service_name } = c.req.valid("param");
    const { status, metrics, instance_id } = c.req.valid("json");
    return await rpcResponse(c, "service_heartbeat", { service_name, status, metrics, instance_id });
  },
);

app.delete(
  "/services/:name",
  auth("secret:*"),
  param(wire.ServicePath),
  query(wire.InstanceQuery),
  returns({ 204: "gone" }, { summary: "Deregister an instance, as it stops" }),
  async (c) => {
    const { name: service_name } = c.req.valid("param");
    await rpc(c, "deregister_service", { service_name, instance_id: c.req.valid("query").instance_id });
    return c.body(null, 204);
  },
);

app.get(
  "/services",
  auth("operator", "secret:*"),
  query(wire.Discovery),
  returns({ 200: wire.Instances }, { summary: "Find instances, the best first" }),
  async (c) => {
    const { service_name, service_type, version, capabilities, include_unhealthy, max_count } = c.req.valid("query");
    return await rpcResponse(c, "discover_services", {
      service_name,
      service_type,
      version,
      capabilities: capabilities?.split(","),
      include_unhealthy: include_unhealthy === "true",
      max_count,
    });
  },
);

app.get(
  "/services/overview",
  auth("operator", "secret:*"),
  returns({ 200: wire.Overview }, { summary: "How well each service is, the worst first" }),
  async (c) => await rpcResponse(c, "list_service_health", {}),
);

app.post(
  "/jobs/:id/complete",
  auth("secret:*"),
  param(wire.JobPath),
  body(wire.Completion),
  returns({ 200: wire.JobState }, { summary: "End a job of one's own well, that was answered 202" }),
  async (c) => {
    const { lease_token, result } = c.req.valid("json");
    const { id: job_id } = c.req.valid("param");
    const state = await rpc(c, "complete_service_job", { job_id, lease_token, result: result ?? null });
    return c.json({ state });
  },
);

app.post(
  "/jobs/:id/fail",
  auth("secret:*"),
  param(wire.JobPath),
  body(wire.JobFailure),
  returns({ 200: wire.JobState }, { summary: "End an attempt at a job of one's own badly, that was answered 202" }),
  async (c) => {
    const { lease_token, error, retry_after_seconds, is_final } = c.req.valid("json");
    const { id: job_id } = c.req.valid("param");
    const state = await rpc(c, "fail_service_job", { job_id, lease_token, error, retry_after_seconds, is_final });
    return c.json({ state });
  },
);

export default { fetch: app.fetch } satisfies Deno.ServeDefaultExport;
