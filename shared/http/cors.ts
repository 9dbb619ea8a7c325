/** What browsers may send: DESIGN section 4, and what supabase-js adds by itself (a pinned region, trace headers). */
const ALLOWED_HEADERS = [
  "authorization",
  "apikey",
  "x-client-info",
  "x-api-key",
  "content-type",
  "content-encoding",
  "idempotency-key",
  "if-none-match",
  "x-correlation-id",
  "x-request-id",
  "traceparent",
  "tracestate",
  "baggage",
  "x-region",
  "x-retry-count",
  "x-write-key",
].join(", ");
const EXPOSED_HEADERS =
  "ETag, Retry-After, Idempotent-Replayed, x-config-stale, x-config-version, x-request-id, Server-Timing";

/** Lets any web page read the answer: callers are known by their tokens, never by cookies. */
export function allowOrigin(headers: Headers): void {
  headers.set("access-control-allow-origin", "*");
  headers.set("access-control-expose-headers", EXPOSED_HEADERS);
}

/** Answers OPTIONS, before any credentials are looked at: browsers send none with a preflight. */
export function preflight(methods: readonly string[]): Response {
  const allow = methods.join(", ");
  return new Response(null, {
    status: 204,
    headers: {
      allow,
      "access-control-allow-methods": allow,
      "access-control-allow-headers": ALLOWED_HEADERS,
      "access-control-max-age": "7200",
    },
  });
}
