import type { Context, Next } from "hono";
import { routePath } from "hono/route";
import { setting } from "../env.ts";
import { log, type LogLevel } from "../log.ts";
import { LogSampling } from "../log_sampling.ts";
import { MetricsReport } from "../metrics/metrics_report.ts";
import { recordMetrics } from "../metrics/record_metrics.ts";
import type { AnsweredRequest } from "../metrics/request_metrics.ts";
import { once } from "../once.ts";
import { RequestTrace } from "../trace.ts";
import { allowOrigin } from "./cors.ts";

/** Where `observe` itself is mounted: the last route that matched a request which no route serves. */
const EVERYWHERE = "/*";
/** The budget of a request; beyond it, the line is a warning. */
const SLOW_MS = 1_000;

/**
 * What surrounds every request: its ids and time, headers that every answer has, metrics, and a log line without
 * personal data. Failures and slow requests are always logged, others as far as the platform takes lines.
 */
export function observe(
  functionName: string,
  cors: { withCredentials: boolean },
): (c: Context, next: Next) => Promise<void> {
  const metrics = new MetricsReport(functionName, (batch) => recordMetrics(functionName, batch));
  const sampling = new LogSampling();
  return async function observe(c, next) {
    const startedAt = performance.now();
    const trace = new RequestTrace(c.req.raw.headers);
    c.set("trace", trace);
    await next();
    const endedAt = performance.now();
    const request = answeredRequest(c, trace, endedAt - startedAt);
    complete(c, trace, request.durationMs);
    const origin = c.req.raw.headers.get("origin");
    if (origin !== null) allowOrigin(c.res.headers, origin, cors);
    metrics.count(request, endedAt);
    const level = levelOf(request);
    const leftOut = sampling.admit(endedAt, level !== "info");
    if (leftOut !== null) writeLine(functionName, request, trace, leftOut, level);
  };
}

function answeredRequest(c: Context, trace: RequestTrace, durationMs: number): AnsweredRequest {
  const route = routePath(c, -1);
  return {
    method: c.req.method,
    route: route === EVERYWHERE ? undefined : route,
    status: c.res.status,
    code: trace.code,
    durationMs,
  };
}

function levelOf({ status, durationMs }: AnsweredRequest): LogLevel {
  if (status >= 500) return "error";
  return durationMs > SLOW_MS ? "warn" : "info";
}

function complete(c: Context, trace: RequestTrace, durationMs: number): void {
  const headers = ownHeaders(c);
  headers.set("x-request-id", trace.requestId);
  headers.append("server-timing", serverTiming(trace, durationMs));
  // A 304 updates what the client has stored, Cache-Control included.
  if (c.res.status !== 304 && !headers.has("cache-control")) headers.set("cache-control", "no-store");
}

/** The answer's headers. Those of an answer that came straight from `fetch()` cannot be changed: it is copied. */
function ownHeaders(c: Context): Headers {
  try {
    c.res.headers.set("x-content-type-options", "nosniff");
  } catch {
    const answer = c.res;
    c.res = undefined;
    c.res = new Response(answer.body, answer);
    c.res.headers.set("x-content-type-options", "nosniff");
  }
  return c.res.headers;
}

function serverTiming(trace: RequestTrace, durationMs: number): string {
  const app = `app;dur=${durationMs.toFixed(1)}`;
  return trace.databaseMs === undefined ? app : `${app}, db;dur=${trace.databaseMs.toFixed(1)}`;
}

function writeLine(
  functionName: string,
  { method, route, status, code, durationMs }: AnsweredRequest,
  trace: RequestTrace,
  leftOut: number,
  level: LogLevel,
): void {
  log("http.request", {
    fn: functionName,
    method,
    route,
    status,
    dur_ms: Number(durationMs.toFixed(1)),
    db_ms: trace.databaseMs && Number(trace.databaseMs.toFixed(1)),
    request_id: trace.requestId,
    trace_id: trace.traceId,
    correlation_id: trace.correlationId,
    code,
    cause: trace.cause,
    // Requests since the last line that had none of their own.
    left_out: leftOut || undefined,
    ...instance(),
  }, level);
}

/** Which running copy of which version answered. */
const instance = once(() => ({
  region: setting("SB_REGION", null) ?? undefined,
  execution_id: setting("SB_EXECUTION_ID", null) ?? undefined,
  version: setting("DENO_DEPLOYMENT_ID", null) ?? undefined,
}));
