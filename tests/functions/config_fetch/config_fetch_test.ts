import { createClient } from "@supabase/supabase-js";
import { assertEquals, assertNotEquals } from "@std/assert";
import { developmentSettings, LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { createIdentify } from "../../../scripts/stack/identity.ts";
import { createRpc } from "../../../scripts/stack/rpc/handler.ts";
import configFetch from "../../../supabase/functions/config-fetch/index.ts";
import { put } from "../../sql/configuration/configurations.ts";
import { createTestDatabase } from "../../support/database.ts";
import { captureLog } from "../../support/log_lines.ts";
import { outcomeOf } from "../../support/problems.ts";
import { useSettings } from "../../support/settings.ts";

captureLog();
const KEYS = { default: LOCAL_KEYS.secretKey, svc_payments: "sb_secret_payments", svc_rides: "sb_secret_rides" };
const database = await createTestDatabase();
const rpc = createRpc({ url: database.authenticatorUrl, identify: createIdentify(LOCAL_KEYS) });
let isAway = false;
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
  const { pathname, search } = new URL(request.url);
  if (pathname.startsWith("/functions/v1/")) {
    return await configFetch.fetch(new Request(`http://127.0.0.1${pathname.slice(13)}${search}`, request));
  }
  if (isAway) return new Response(null, { status: 503 });
  // The platform takes every secret key of the project; the local one knows a single one.
  const headers = new Headers(request.headers);
  if (Object.values(KEYS).includes(headers.get("apikey") ?? "")) {
    headers.set("apikey", KEYS.default);
    headers.set("authorization", `Bearer ${KEYS.default}`);
  }
  return await rpc.fetch(new Request(request, { headers }));
});
const url = `http://127.0.0.1:${server.addr.port}`;
useSettings({ ...developmentSettings(url, database.url), SUPABASE_SECRET_KEYS: JSON.stringify(KEYS) });
await database.sql.begin(async (sql) => {
  await put(sql, { service: "all", key: "region", value: "rw", isPublic: true });
  await put(sql, { key: "limit", value: 5 });
  await put(sql, { key: "token", value: "hush-1", isSecret: true });
  await put(sql, { service: "rides", key: "surge", value: 2 });
});
Deno.test.afterAll(async () => {
  await server.shutdown();
  await rpc.close();
  await database.sql.end();
});

/** Tests share connections that outlive them. */
function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

async function get(path: string, key: string, headers: Record<string, string> = {}): Promise<Response> {
  return await configFetch.fetch(
    new Request(`http://127.0.0.1/config-fetch/${path}`, { headers: { apikey: key, ...headers } }),
  );
}

const keysOf = async (answer: Promise<Response>) => Object.keys((await (await answer).json()).entries).sort();

test("each caller gets what is its own", async () => {
  assertEquals(await keysOf(get("payments", LOCAL_KEYS.publishableKey)), ["region"]);
  assertEquals(await keysOf(get("payments", KEYS.svc_payments)), ["limit", "region", "token"]);
  assertEquals(await keysOf(get("rides", KEYS.default)), ["region", "surge"]);
  assertEquals(await outcomeOf(get("payments", KEYS.svc_rides)), "403 forbidden");
  assertEquals((await outcomeOf(get("payments", "sb_secret_guessed"))).slice(0, 3), "401");
});

test("a secret is told to a secret key that asks, and to nobody else", async () => {
  const valueOf = async (path: string) => (await (await get(path, KEYS.svc_payments)).json()).value;

  assertEquals(await valueOf("payments/token"), null);
  assertEquals(await valueOf("payments/token?include_secrets=true"), "hush-1");
  const { publishableKey } = LOCAL_KEYS;
  assertEquals(await outcomeOf(get("payments?include_secrets=true", publishableKey)), "403 forbidden");
  assertEquals(await outcomeOf(get("payments/token", publishableKey)), "404 not_found");
  assertEquals(await outcomeOf(get("payments/limit", publishableKey)), "404 not_found");
});

test("what is known already is 304, until something changes", async () => {
  const first = await get("payments", KEYS.svc_payments);
  const { version } = await first.json();
  const etag = first.headers.get("etag")!;
  const again = () => get("payments", KEYS.svc_payments, { "if-none-match": `W/${etag}` });

  assertEquals([(await again()).status, first.headers.get("x-config-version")], [304, String(version)]);
  await database.sql.begin((sql) => put(sql, { key: "token", value: "hush-1", isSecret: true }));
  const changed = await again();
  assertEquals([changed.status, (await changed.json()).version > version], [200, true]);
  assertNotEquals(changed.headers.get("etag"), etag);
});

test("a waiting caller hears of a change", async () => {
  const { version } = await (await get("rides", KEYS.svc_rides)).json();
  const waiting = get(`rides?known_version=${version}&wait_seconds=25`, KEYS.svc_rides);

  await database.sql.begin((sql) => put(sql, { service: "rides", key: "surge", value: 3 }));

  assertEquals((await (await waiting).json()).entries.surge.value, 3);
});

test("while the database is away the last known document is told as such, without secrets", async () => {
  await (await get("payments", KEYS.svc_payments)).body?.cancel();
  isAway = true;
  try {
    const answer = await get("payments", KEYS.svc_payments);

    assertEquals([answer.headers.get("x-config-stale"), (await answer.json()).is_stale], ["true", true]);
    const asked = await outcomeOf(get("payments?include_secrets=true", KEYS.svc_payments));
    assertEquals(asked, "503 service_unavailable");
  } finally {
    isAway = false;
  }
  assertEquals((await (await get("payments", KEYS.svc_payments)).json()).is_stale, false);
});

test("functions.invoke() of supabase-js reads the public part", async () => {
  const client = createClient(url, LOCAL_KEYS.publishableKey, { auth: { persistSession: false } });

  const { data, error } = await client.functions.invoke("config-fetch/payments", { method: "GET" });

  assertEquals([error, data.entries.region.value, data.environment], [null, "rw", "development"]);
});
