import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import { createApp } from "shared/http/app.ts";
import { Problem } from "shared/problem.ts";
import { captureLog } from "../../support/log_lines.ts";
import { outcomeOf, type ProblemBody } from "../../support/problems.ts";
import { serve } from "../../support/loopback.ts";

const lines = captureLog();
const upstream = new Response("from afar", { headers: { "server-timing": "upstream;dur=1" } });

const app = createApp("example");
app.get("/", (c) => c.json({ ok: true }));
app.get("/items/:id", (c) => c.json({ id: c.req.param("id") }));
app.put("/items/:id", (c) => c.body(null, 204));
app.get("/cached", (c) => c.json({ ok: true }, 200, { "cache-control": "max-age=60" }));
app.get("/unchanged", (c) => c.body(null, 304, { etag: '"a"' }));
app.get("/broken", () => {
  throw new TypeError("secret detail of 250788000000");
});
app.get("/refused", () => {
  throw new Problem("conflict", { detail: "Somebody was first.", headers: { "retry-after": "7" } });
});
app.get("/redirected", () => Response.redirect("http://localhost/elsewhere"));

function get(path: string, init?: RequestInit): Promise<Response> {
  lines.clear();
  return Promise.resolve(app.request(path, init));
}

Deno.test("createApp() serves routes below the function's name, with and without a slash at the end", async () => {
  assertEquals(await (await get("/example")).json(), { ok: true });
  assertEquals(await (await get("/example/")).json(), { ok: true });
  assertEquals((await get("/")).status, 404);
});

Deno.test("createApp() echoes a request id and makes one where there is none", async () => {
  const given = await get("/example", { headers: { "x-request-id": "given-1" } });
  const made = await get("/example");

  assertEquals(given.headers.get("x-request-id"), "given-1");
  assertMatch(made.headers.get("x-request-id")!, /^[0-9a-f-]{36}$/);
});

Deno.test("createApp() logs one line per request: the route's pattern, never the path or the query", async () => {
  await get("/example/items/250788000000?phone=250788000000", {
    headers: {
      "x-request-id": "given-1",
      "x-correlation-id": "trip-1",
      traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
    },
  });

  const { ts: _, dur_ms, ...line } = lines.only();
  assertEquals(typeof dur_ms, "number");
  assertEquals(line, {
    level: "info",
    event: "http.request",
    fn: "example",
    method: "GET",
    route: "/example/items/:id",
    status: 200,
    request_id: "given-1",
    trace_id: "a".repeat(32),
    correlation_id: "trip-1",
  });
});

Deno.test("createApp() logs no phone number that came as an id", async () => {
  const response = await get("/example", { headers: { "x-request-id": "250788000000" } });

  assertEquals(response.headers.get("x-request-id"), "250788000000");
  assertEquals(lines.only().request_id, "[redacted]");
});

Deno.test("createApp() answers an unknown path with 404 not_found", async () => {
  assertEquals(await outcomeOf(get("/example/nowhere")), "404 not_found");
  assertEquals(lines.only().route, undefined);
});

Deno.test("createApp() answers another method with 405 and the methods that its routes have", async () => {
  const response = await get("/example/items/1", { method: "DELETE" });

  assertEquals(response.headers.get("allow")!.split(", ").sort(), ["GET", "HEAD", "OPTIONS", "PUT"]);
  assertEquals(await outcomeOf(response), "405 method_not_allowed");
});

Deno.test("createApp() answers HEAD as GET without a body", async () => {
  const response = await get("/example", { method: "HEAD" });

  assertEquals([response.status, response.headers.get("content-type")], [200, "application/json"]);
  assertEquals(await response.text(), "");
});

Deno.test("createApp() answers a preflight with what browsers may send", async () => {
  const response = await get("/example/items/1", {
    method: "OPTIONS",
    headers: { origin: "https://app.example", "access-control-request-method": "PUT" },
  });

  assertEquals(response.status, 204);
  assertEquals(response.headers.get("access-control-allow-origin"), "*");
  assertMatch(response.headers.get("access-control-allow-methods")!, /\bPUT\b/);
  const allowed = response.headers.get("access-control-allow-headers")!.split(", ");
  const needed = [
    ..."authorization apikey x-client-info x-api-key content-type content-encoding idempotency-key if-none-match".split(
      " ",
    ),
    ..."x-correlation-id x-request-id traceparent x-retry-count x-write-key x-region".split(" "),
  ];
  assertEquals(needed.filter((header) => !allowed.includes(header)), []);
});

Deno.test("createApp() lets a page of any origin read answers and problems", async () => {
  const headers = { origin: "https://app.example" };

  for (const path of ["/example", "/example/refused", "/example/nowhere"]) {
    const response = await get(path, { headers });
    assertEquals(response.headers.get("access-control-allow-origin"), "*");
    assertEquals(
      response.headers.get("access-control-expose-headers"),
      "ETag, Retry-After, Idempotent-Replayed, x-config-stale, x-config-version, x-request-id, Server-Timing",
    );
  }
});

Deno.test("createApp() sends no CORS headers where no browser asks", async () => {
  assertFalse((await get("/example")).headers.has("access-control-allow-origin"));
});

Deno.test("createApp() answers a thrown problem as it is, request id included", async () => {
  const response = await get("/example/refused", { headers: { "x-request-id": "given-1" } });

  assertEquals(response.headers.get("retry-after"), "7");
  assertEquals(response.headers.get("content-type"), "application/problem+json");
  const problem: ProblemBody = await response.json();
  assertEquals(problem, {
    type: "/problems/conflict",
    title: "The request conflicts with what is stored",
    status: 409,
    detail: "Somebody was first.",
    request_id: "given-1",
  });
  assertEquals([lines.only().level, lines.only().code], ["info", "conflict"]);
});

Deno.test("createApp() answers an unexpected error with 500, its cause in the log and nowhere else", async () => {
  const response = await get("/example/broken");

  const text = await response.text();
  assertEquals([response.status, JSON.parse(text).type], [500, "/problems/internal_error"]);
  assertFalse(text.includes("secret detail"));
  assertEquals(lines.only().level, "error");
  assertMatch(String(lines.only().cause), /^TypeError: secret detail of \[redacted\] \(app_test\.ts:\d+\)$/);
});

Deno.test("createApp() hardens every answer and keeps it out of caches, unless the route says otherwise", async () => {
  const plain = await get("/example");
  const cached = await get("/example/cached");
  const unchanged = await get("/example/unchanged");

  assertEquals(plain.headers.get("x-content-type-options"), "nosniff");
  assertEquals(plain.headers.get("cache-control"), "no-store");
  assertEquals(cached.headers.get("cache-control"), "max-age=60");
  assertEquals(unchanged.headers.get("cache-control"), null);
});

Deno.test("createApp() says how long it took", async () => {
  assertMatch((await get("/example")).headers.get("server-timing")!, /^app;dur=\d+\.\d$/);
});

Deno.test("createApp() adds its headers to an answer whose headers cannot be changed", async () => {
  const response = await get("/example/redirected", { headers: { "x-request-id": "given-1" } });

  assertEquals([response.status, response.headers.get("location")], [302, "http://localhost/elsewhere"]);
  assertEquals(response.headers.get("x-request-id"), "given-1");
});

Deno.test("createApp() passes an answer of fetch() on", async () => {
  await using origin = serve(() => upstream);
  const proxy = createApp("proxy");
  proxy.get("/", () => fetch(origin.url));

  const response = await proxy.request("/proxy");

  assertEquals(await response.text(), "from afar");
  assert(response.headers.has("x-request-id"));
  assertMatch(response.headers.get("server-timing")!, /^upstream;dur=1, app;/);
});

Deno.test("createApp() keeps requests of the same moment apart", async () => {
  const ids = Array.from({ length: 50 }, (_, index) => `id-${index}`);

  const answers = await Promise.all(ids.map((id) => get("/example/refused", { headers: { "x-request-id": id } })));

  assertEquals(await Promise.all(answers.map(async (answer) => (await answer.json()).request_id)), ids);
});
