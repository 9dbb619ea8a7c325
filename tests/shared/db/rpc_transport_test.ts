import { assertEquals, assertMatch } from "@std/assert";
import { createApp } from "shared/http/app.ts";
import { captureLog } from "../../support/log_lines.ts";
import { serve } from "../../support/loopback.ts";
import { outcomeOf } from "../../support/problems.ts";
import { useSettings } from "../../support/settings.ts";
import { call } from "./untyped.ts";

captureLog();
const settings = { SUPABASE_URL: "", SUPABASE_PUBLISHABLE_KEYS: '{"default":"sb_publishable_local"}' };
useSettings(settings);

const app = createApp("example");
app.get("/", async (c) => c.json(await call(c, "anything", {}, { deadlineMs: 100 })));

async function callOver(url: string): Promise<Response> {
  settings.SUPABASE_URL = url;
  return await app.request("/example");
}

Deno.test("rpc() answers 503 with Retry-After when nothing listens", async () => {
  const gone = serve(() => new Response());
  await gone[Symbol.asyncDispose]();

  const response = await callOver(gone.url);

  assertMatch(response.headers.get("retry-after")!, /^[1-9]\d?$/);
  assertEquals(await outcomeOf(response), "503 service_unavailable");
});

Deno.test("rpc() answers 504 when no answer comes in time", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  await using silent = serve(() => promise);

  assertEquals(await outcomeOf(callOver(silent.url)), "504 database_timeout");
  resolve(new Response());
});

Deno.test("rpc() answers 504 when an answer stops in the middle", async () => {
  const half = new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode('{"a":')) });
  await using stuck = serve(() => new Response(half));

  assertEquals(await outcomeOf(callOver(stuck.url)), "504 database_timeout");
});

for (
  const [status, outcome] of [
    [429, "503 service_unavailable"],
    [502, "503 service_unavailable"],
    [503, "503 service_unavailable"],
    [504, "503 service_unavailable"],
    [522, "503 service_unavailable"],
    [401, "401 token_invalid"],
    [404, "500 internal_error"],
    [500, "500 internal_error"],
  ] as const
) {
  Deno.test(`rpc() answers a gateway's page with status ${status} by ${outcome}`, async () => {
    await using gateway = serve(() => new Response("<html>", { status, headers: { "content-type": "text/html" } }));

    assertEquals(await outcomeOf(callOver(gateway.url)), outcome);
  });
}

Deno.test("rpc() passes the gateway's Retry-After on", async () => {
  await using gateway = serve(() =>
    Response.json({ message: "busy" }, { status: 503, headers: { "retry-after": "17" } })
  );

  assertEquals((await callOver(gateway.url)).headers.get("retry-after"), "17");
});

for (
  const [code, outcome] of [
    ["PGRST000", "503 service_unavailable"],
    ["PGRST003", "503 service_unavailable"],
    ["PGRST301", "401 token_invalid"],
    ["PGRST303", "401 token_invalid"],
    ["PGRST202", "500 internal_error"],
    ["08006", "503 service_unavailable"],
    ["57014", "504 database_timeout"],
  ] as const
) {
  Deno.test(`rpc() answers PostgREST's ${code} with ${outcome}`, async () => {
    await using api = serve(() => Response.json({ code, message: "m", details: null, hint: null }, { status: 500 }));

    assertEquals(await outcomeOf(callOver(api.url)), outcome);
  });
}
