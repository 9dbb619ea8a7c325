import { assert, assertEquals, assertFalse, assertMatch } from "@std/assert";
import type { Context } from "hono";
import { createApp } from "shared/http/app.ts";
import { type Caller, trust } from "shared/db/caller.ts";
import { captureLog } from "../../support/log_lines.ts";
import { outcomeOf } from "../../support/problems.ts";
import { signedIn } from "../../support/signed_in.ts";
import { USER_ID } from "../../support/tokens.ts";
import { apiTest, useApi } from "./api.ts";
import { call, callResponse } from "./untyped.ts";

const lines = captureLog();
await useApi(`
  create function public.who_calls() returns jsonb language plpgsql set search_path = '' as $$
  begin
    return jsonb_build_object('role', current_user, 'user', auth.uid(), 'headers', current_setting('request.headers')::jsonb);
  end $$;
  create function public.answer(status integer, body jsonb) returns jsonb language plpgsql set search_path = '' as $$
  begin
    perform set_config('response.status', answer.status::text, true);
    perform set_config('response.headers', '[{"Idempotent-Replayed": "true"}, {"X-Internal": "1"}]', true);
    return answer.body;
  end $$;
  create function public.refuse(code text, details jsonb) returns void language plpgsql set search_path = '' as $$
  begin
    perform private.refuse(refuse.code, refuse.details);
  end $$;
  create function public.fail(state text) returns void language plpgsql set search_path = '' as $$
  begin
    raise exception 'about +250788000000' using errcode = fail.state, constraint = 'promises_are_kept';
  end $$;
  create function public.sleep(seconds numeric) returns void language plpgsql set search_path = '' set statement_timeout = '40ms' as $$
  begin
    perform pg_sleep(sleep.seconds);
  end $$;
  create function public.nothing() returns void language plpgsql set search_path = '' as $$ begin end $$;
  create table public.promises (id integer, constraint promises_are_kept primary key (id));
  create function public.promise_twice() returns void language sql as $$ insert into public.promises values (1), (1) $$;
  grant all on public.promises to anon;
  create function public.kept_back() returns void language sql set search_path = '' as $$ select $$;
  revoke execute on function public.kept_back from public, service_role;
  grant execute on function public.kept_back to postgres;
`);

const token = await signedIn(USER_ID);

/** Answers one request with what `handler` makes of its calls. */
async function handle(
  handler: (c: Context) => Response | Promise<Response>,
  headers: Record<string, string> = {},
): Promise<Response> {
  const app = createApp("example");
  app.get("/", handler);
  lines.clear();
  return await app.request("/example", { headers });
}

interface Seen {
  role: string;
  user: string | null;
  headers: Record<string, string>;
}

async function seenOf(caller: Caller | undefined, headers: Record<string, string> = {}): Promise<Seen> {
  const response = await handle(async (c) => {
    if (caller) c.set("caller", caller);
    return c.json(await call(c, "who_calls"));
  }, headers);
  return await response.json();
}

apiTest("rpc() calls with the user's own token, so that RLS decides", async () => {
  const seen = await seenOf({ mode: "user", token, claims: { sub: USER_ID } });

  assertEquals([seen.role, seen.user, seen.headers["x-actor"]], ["authenticated", USER_ID, undefined]);
});

apiTest("rpc() calls as anon for a publishable key and for nobody", async () => {
  assertEquals((await seenOf({ mode: "publishable", name: "default" })).role, "anon");
  assertEquals((await seenOf(undefined)).role, "anon");
});

apiTest("rpc() calls with our secret key for a secret caller and a verified one, under their names", async () => {
  const secret = await seenOf({ mode: "secret", name: "default" });
  const verified = await seenOf({ mode: "verified", name: "whatsapp" });

  assertEquals([secret.role, secret.headers["x-actor"]], ["service_role", "default"]);
  assertEquals([verified.role, verified.headers["x-actor"]], ["service_role", "whatsapp"]);
});

apiTest("trust() lets a request that its route has verified use the secret key", async () => {
  const response = await handle(async (c) => {
    trust(c, "stripe");
    return c.json(await call(c, "who_calls"));
  });

  const seen: Seen = await response.json();
  assertEquals([seen.role, seen.headers["x-actor"]], ["service_role", "stripe"]);
});

apiTest("rpc() does not pass the caller's own x-actor on", async () => {
  assertEquals((await seenOf({ mode: "none" }, { "x-actor": "default" })).headers["x-actor"], undefined);
});

apiTest("rpc() refuses to call with a secret key that is not configured", async () => {
  const response = handle(async (c) => {
    c.set("caller", { mode: "secret", name: "other" });
    return c.json(await call(c, "who_calls"));
  });

  assertEquals(await outcomeOf(response), "503 not_configured");
});

apiTest("rpc() carries request id, correlation id and trace into the database", async () => {
  const { headers } = await seenOf(undefined, {
    "x-request-id": "req-1",
    "x-correlation-id": "trip-1",
    traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
  });

  assertEquals([headers["x-request-id"], headers["x-correlation-id"]], ["req-1", "trip-1"]);
  assertMatch(headers.traceparent!, /^00-a{32}-(?!b{16})[0-9a-f]{16}-01$/);
});

apiTest("rpc() carries a stored row's correlation id where it is told to", async () => {
  const response = await handle(async (c) => c.json(await call(c, "who_calls", {}, { correlationId: "trip-9" })), {
    "x-correlation-id": "run-1",
  });

  assertEquals((await response.json()).headers["x-correlation-id"], "trip-9");
});

apiTest("rpc() passes a refusal on with its code, status, title, details and headers", async () => {
  const response = await handle(async (c) =>
    c.json(await call(c, "refuse", { code: "rate_limited", details: { retry_after: 3, scope: "user" } }))
  );

  assertEquals([response.status, response.headers.get("retry-after")], [429, "3"]);
  const { request_id: _, ...problem } = await response.json();
  assertEquals(problem, {
    type: "/problems/rate_limited",
    title: "Too many requests",
    status: 429,
    details: { retry_after: 3, scope: "user" },
  });
  assertEquals(lines.only().code, "rate_limited");
});

apiTest("rpc() throws a problem that a replay returns as its result", async () => {
  const stored = { code: "insufficient_funds", message: "Not enough money", details: '{"available": 300}', hint: null };
  const response = await handle(async (c) => c.json(await call(c, "answer", { status: 409, body: stored }), 201));

  assertEquals([response.status, response.headers.get("idempotent-replayed")], [409, "true"]);
  const { type, details } = await response.json();
  assertEquals([type, details], ["/problems/insufficient_funds", { available: 300 }]);
});

apiTest("rpc() lets status and headers that SQL sets reach the answer, and no others", async () => {
  const response = await handle(async (c) =>
    c.json(await call(c, "answer", { status: 202, body: { id: 1 } }) as object)
  );

  assertEquals([response.status, response.headers.get("idempotent-replayed")], [202, "true"]);
  assertFalse(response.headers.has("x-internal"));
  assertEquals(await response.json(), { id: 1 });
});

apiTest("rpc() leaves the status to a route that names one", async () => {
  const response = await handle(async (c) => c.json(await call(c, "answer", { status: 202, body: {} }) as object, 201));

  assertEquals(response.status, 201);
});

apiTest("rpc() gives null for a function that returns nothing, and the route still answers 200", async () => {
  const response = await handle(async (c) => c.json(await call(c, "nothing")));

  assertEquals([response.status, await response.json()], [200, null]);
});

apiTest("rpcResponse() answers with the function's JSON and status", async () => {
  const response = await handle((c) => callResponse(c, "answer", { status: 202, body: { id: 1 } }));

  assertEquals([response.status, response.headers.get("content-type")], [202, "application/json"]);
  assertEquals([response.headers.get("idempotent-replayed"), await response.json()], ["true", { id: 1 }]);
});

apiTest("rpcResponse() answers 204 for a function that returns nothing, and throws refusals", async () => {
  assertEquals((await handle((c) => callResponse(c, "nothing"))).status, 204);
  assertEquals(
    await outcomeOf(handle((c) => callResponse(c, "refuse", { code: "rate_limited", details: {} }))),
    "429 rate_limited",
  );
});

for (
  const [state, outcome] of [
    ["40001", "503 service_unavailable"],
    ["40P01", "503 service_unavailable"],
    ["55P03", "503 service_unavailable"],
    ["53300", "503 service_unavailable"],
    ["57P03", "503 service_unavailable"],
    ["23505", "409 conflict"],
    ["23503", "409 conflict"],
    ["23514", "422 value_invalid"],
    ["22P02", "422 value_invalid"],
    ["22P05", "422 value_invalid"],
    ["22003", "422 value_invalid"],
    ["42501", "403 forbidden"],
    ["22012", "500 internal_error"],
    ["P0001", "500 internal_error"],
    ["XX000", "500 internal_error"],
  ] as const
) {
  apiTest(`rpc() answers SQLSTATE ${state} with ${outcome}`, async () => {
    assertEquals(await outcomeOf(handle(async (c) => c.json(await call(c, "fail", { state })))), outcome);
  });
}

apiTest("rpc() logs the database's code and constraint, and shows and logs none of its words", async () => {
  const response = await handle(async (c) => c.json(await call(c, "promise_twice")));

  assertEquals(response.status, 409);
  assertFalse((await response.text()).includes("promises"));
  assertEquals(lines.only().cause, "database 23505 promises_are_kept (409)");
});

apiTest("rpc() tells a client when to come back after an overload", async () => {
  const response = await handle(async (c) => c.json(await call(c, "fail", { state: "40001" })));

  assertMatch(response.headers.get("retry-after")!, /^[1-9]\d?$/);
});

apiTest("rpc() answers 504 when the database gives a statement up", async () => {
  assertEquals(
    await outcomeOf(handle(async (c) => c.json(await call(c, "sleep", { seconds: 5 })))),
    "504 database_timeout",
  );
});

apiTest("rpc() answers 403 to a caller without the right, and 503 when it is our own key that has none", async () => {
  assertEquals(await outcomeOf(handle(async (c) => c.json(await call(c, "kept_back")))), "403 forbidden");
  const ours = handle(async (c) => {
    trust(c, "worker");
    return c.json(await call(c, "kept_back"));
  });
  assertEquals(await outcomeOf(ours), "503 not_configured");
});

apiTest("rpc() answers 500 for a function that does not exist", async () => {
  assertEquals(await outcomeOf(handle(async (c) => c.json(await call(c, "no_such_function")))), "500 internal_error");
  assertEquals(lines.only().cause, "database PGRST202 (404)");
});

apiTest("rpc() adds its time to Server-Timing and to the log line", async () => {
  const response = await handle(async (c) => c.json(await call(c, "who_calls")));

  assertMatch(response.headers.get("server-timing")!, /^app;dur=[\d.]+, db;dur=[\d.]+$/);
  assert(Number(lines.only().db_ms) > 0);
});
