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
  // Jitsu's and PostHog's libraries, to analytics-track.
  "x-enable-debug",
  "x-ip-policy",
  "posthog-sdk-info",
  "posthog-attempt",
  "posthog-request-id",
  "posthog-request-timestamp",
].join(", ");
const EXPOSED_HEADERS =
  "ETag, Retry-After, Idempotent-Replayed, x-config-stale, x-config-version, x-request-id, Server-Timing";

/**
 * Lets any web page read the answer: callers are known by their tokens, never by cookies.
 *
 * @param origin - the page's
 * @param options.withCredentials - also where the browser sends cookies whether the page wants it or not, as
 *   `navigator.sendBeacon()` does; it then insists on its own origin by name (Fetch standard, "CORS protocol and credentials")
 */
export function allowOrigin(headers: Headers, origin: string, options: { withCredentials: boolean }): void {
  headers.set("access-control-expose-headers", EXPOSED_HEADERS);
  if (!options.withCredentials) return headers.set("access-control-allow-origin", "*");
  headers.set("access-control-allow-origin", origin);
  headers.set("access-control-allow-credentials", "true");
  headers.append("vary", "Origin");
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
