import { assertEquals, assertFalse, assertMatch } from "@std/assert";
import { createApp } from "shared/http/app.ts";
import { Problem } from "shared/problem.ts";
import { developmentSettings, LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { createIdentify } from "../../../scripts/stack/identity.ts";
import { createRpc } from "../../../scripts/stack/rpc/handler.ts";
import { useBackground } from "../../support/background.ts";
import { createTestDatabase } from "../../support/database.ts";
import { captureLog } from "../../support/log_lines.ts";
import { serve } from "../../support/loopback.ts";
import { useSettings } from "../../support/settings.ts";

const log = captureLog();
const background = useBackground();
const settings: Record<string, string> = {};
useSettings(settings);

/** A function in an isolate of its own, whose calls go to `url`. */
function startFunction(url: string) {
  log.clear();
  Object.assign(settings, developmentSettings(url, ""));
  const app = createApp("example");
  app.get("/items/:id", (c) => c.json({ id: c.req.param("id") }));
  app.put("/items/:id", () => {
    throw new Problem("conflict");
  });
  app.delete("/items/:id", () => {
    throw new Error("broken");
  });
  return (method: string, path: string) => Promise.resolve(app.request(path, { method }));
}

async function endIsolate(): Promise<void> {
  dispatchEvent(new Event("beforeunload"));
  await background.ended();
}

Deno.test("the requests of a function arrive in the database", async () => {
  const database = await createTestDatabase();
  const rpc = createRpc({ url: database.authenticatorUrl, identify: createIdentify(LOCAL_KEYS) });
  await using api = serve((request) => rpc.fetch(request));
  const send = startFunction(api.url);

  for (const id of [1, 2, 3]) await send("GET", `/example/items/${id}`);
  for (const method of ["PUT", "PUT", "DELETE"]) await send(method, "/example/items/1");
  await send("GET", "/elsewhere");
  await endIsolate();

  const requests = await database.sql`
    select method, route, request_count::int as requests, failed_count::int as failed from public.request_metrics
    where period = 'hour' and service_name = 'example' order by method, route`;
  assertEquals(requests.map((row) => ({ ...row })), [
    { method: "DELETE", route: "/example/items/:id", requests: 1, failed: 1 },
    { method: "GET", route: "/example/items/:id", requests: 3, failed: 0 },
    { method: "GET", route: "unmatched", requests: 1, failed: 0 },
    { method: "PUT", route: "/example/items/:id", requests: 2, failed: 0 },
  ]);
  const problems = await database
    .sql`select code, last_hour_count::int as count from public.request_problems order by code`;
  assertEquals(problems.map((row) => [row.code, row.count]), [["conflict", 2], ["internal_error", 1], [
    "not_found",
    1,
  ]]);
  await rpc.close();
  await database.sql.end();
});

Deno.test("a function answers while the database still holds the report of its metrics", async () => {
  const { promise: hanging, resolve } = Promise.withResolvers<void>();
  await using api = serve(() => hanging.then(() => new Response("1")));
  const send = startFunction(api.url);

  const answers = [await send("GET", "/example/items/1"), await send("GET", "/example/items/2")];

  assertEquals(answers.map(({ status }) => status), [200, 200]);
  assertEquals(background.runningCount, 1);
  resolve();
  await endIsolate();
});

Deno.test("a database that cannot take metrics costs no request anything, and is named once in the log", async () => {
  await using api = serve(() => new Response("<html>", { status: 503, headers: { "content-type": "text/html" } }));
  const send = startFunction(api.url);

  assertEquals((await send("GET", "/example/items/1")).status, 200);
  await background.ended();
  assertEquals((await send("GET", "/example/items/1")).status, 200);
  await endIsolate();

  const dropped = log.raw.map((line) => JSON.parse(line)).filter(({ event }) => event === "metrics.dropped");
  assertEquals(dropped.map(({ level, cause }) => [level, cause]), [["warn", "database without code (503)"]]);
});

Deno.test("a report carries our own key and the function's name, and nothing of who sent the requests", async () => {
  const received: { headers: Headers; body: string; path: string }[] = [];
  await using api = serve(async (request) => {
    received.push({ headers: request.headers, body: await request.text(), path: new URL(request.url).pathname });
    return new Response("1");
  });
  const send = startFunction(api.url);

  await send("GET", "/example/items/+250788000000?phone=250788000001");
  await send("GET", "/250788000002");
  await send("PUT", "/example/items/250788000003");
  await endIsolate();

  for (const { headers, body, path } of received) {
    assertEquals(path, "/rest/v1/rpc/record_metrics");
    assertEquals([headers.get("apikey"), headers.get("x-actor")], [LOCAL_KEYS.secretKey, "example"]);
    assertMatch(body, /^{"batch":\[/);
    assertFalse(/250788/.test(body));
  }
  assertEquals(received.length, 2);
});

Deno.test("nothing is reported where nothing keeps the isolate alive for it", async () => {
  let callCount = 0;
  await using api = serve(() => new Response(String(callCount++)));
  const send = startFunction(api.url);
  const runtime = globalThis.EdgeRuntime;
  globalThis.EdgeRuntime = undefined;

  await send("GET", "/example/items/1");
  dispatchEvent(new Event("beforeunload"));

  globalThis.EdgeRuntime = runtime;
  assertEquals(callCount, 0);
});
