import type { Context, Next } from "hono";
import { routePath } from "hono/route";
import { setting } from "../env.ts";
import { log } from "../log.ts";
import { RequestTrace } from "../trace.ts";
import { allowOrigin } from "./cors.ts";

/** Where `observe` itself is mounted: the last route that matched a request which no route serves. */
const EVERYWHERE = "/*";

/** What surrounds every request: its ids and time, headers that every answer has, and one log line without personal data. */
export function observe(functionName: string): (c: Context, next: Next) => Promise<void> {
  return async function observe(c, next) {
    const startedAt = performance.now();
    const trace = new RequestTrace(c.req.raw.headers);
    c.set("trace", trace);
    await next();
    const durationMs = performance.now() - startedAt;
    complete(c, trace, durationMs);
    report(functionName, c, trace, durationMs);
  };
}

function complete(c: Context, trace: RequestTrace, durationMs: number): void {
  const headers = ownHeaders(c);
  headers.set("x-request-id", trace.requestId);
  headers.append("server-timing", serverTiming(trace, durationMs));
  // A 304 updates what the client has stored, Cache-Control included.
  if (c.res.status !== 304 && !headers.has("cache-control")) headers.set("cache-control", "no-store");
  if (c.req.raw.headers.has("origin")) allowOrigin(headers);
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

function report(functionName: string, c: Context, trace: RequestTrace, durationMs: number): void {
  const { status } = c.res;
  const route = routePath(c, -1);
  log("http.request", {
    fn: functionName,
    method: c.req.method,
    route: route === EVERYWHERE ? undefined : route,
    status,
    dur_ms: Number(durationMs.toFixed(1)),
    db_ms: trace.databaseMs && Number(trace.databaseMs.toFixed(1)),
    request_id: trace.requestId,
    trace_id: trace.traceId,
    correlation_id: trace.correlationId,
    code: trace.code,
    cause: trace.cause,
    ...instance(),
  }, status >= 500 ? "error" : "info");
}

let known: Record<"region" | "execution_id" | "version", string | undefined> | undefined;

/** Which running copy of which version answered; fixed for the life of an isolate. */
function instance(): NonNullable<typeof known> {
  return known ??= {
    region: setting("SB_REGION", null) ?? undefined,
    execution_id: setting("SB_EXECUTION_ID", null) ?? undefined,
    version: setting("DENO_DEPLOYMENT_ID", null) ?? undefined,
  };
}
