import { createClient } from "@supabase/supabase-js";
import { assertEquals, assertNotEquals } from "@std/assert";
import { outcomeOf } from "../../support/problems.ts";
import { USER_ID } from "../../support/tokens.ts";
import {
  calls,
  configTest as test,
  database,
  get,
  KEYS,
  keysOf,
  publishableKey,
  signedIn,
  url,
  write,
} from "./server.ts";

await write({ service: "all", key: "region", value: "rw", isPublic: true });
await write({ key: "limit", value: 5 });
await write({ key: "token", value: "hush-1", isSecret: true });
await write({ service: "rides", key: "surge", value: 2 });

test("each caller gets what is its own", async () => {
  assertEquals(await keysOf("payments", publishableKey), ["region"]);
  assertEquals(await keysOf("payments", await signedIn()), ["region"]);
  assertEquals(await keysOf("payments", await signedIn({ app_metadata: { role: "operator" } })), ["region"]);
  assertEquals(await keysOf("payments", KEYS.svc_payments), ["limit", "region", "token"]);
  assertEquals(await keysOf("rides", KEYS.default), ["region", "surge"]);
});

test("nobody gets anything without a key, by a guess, or by the key of another service", async () => {
  assertEquals(await outcomeOf(get("payments", {})), "401 credentials_missing");
  assertEquals(await outcomeOf(get("payments", "sb_secret_guessed")), "401 api_key_invalid");
  assertEquals(await outcomeOf(get("payments", { authorization: "Bearer ey.not.signed" })), "401 token_invalid");
  assertEquals(await outcomeOf(get("payments", KEYS.svc_rides)), "403 forbidden");
  assertEquals(await outcomeOf(get("payments", KEYS.ci)), "403 forbidden");
});

test("a name that the client sends is never its key's", async () => {
  for (const forged of ["svc_payments", "default", "config-fetch"]) {
    const headers = { "x-actor": forged, "X-Actor": forged };
    assertEquals(await outcomeOf(get("payments", KEYS.svc_rides, headers)), "403 forbidden");
    assertEquals(await keysOf("payments", { apikey: publishableKey, ...headers }), ["region"]);
    assertEquals(await keysOf("payments", { ...await signedIn({ name: forged, key_name: forged }), ...headers }), [
      "region",
    ]);
    assertEquals(await outcomeOf(get(`payments?x-actor=${forged}`, KEYS.svc_rides)), "422 validation_failed");
  }
  calls.length = 0;

  await (await get("payments", KEYS.svc_payments, { "x-actor": "default" })).body?.cancel();
  await (await get("payments", publishableKey, { "x-actor": "default" })).body?.cancel();
  await (await get("payments", await signedIn(), { "x-actor": "default" })).body?.cancel();

  assertEquals(calls.map(({ name, actor }) => [name, actor]), [
    ["get_service_configs", "svc_payments"],
    ["get_public_configs", null],
    ["get_public_configs", null],
  ]);
});

test("a secret is told to a secret key that asks, and to nobody else", async () => {
  const valueOf = async (path: string) => (await (await get(path, KEYS.svc_payments)).json()).value;

  assertEquals(await valueOf("payments/token"), null);
  assertEquals(await valueOf("payments/token?include_secrets=true"), "hush-1");
  assertEquals(await outcomeOf(get("payments/token", publishableKey)), "404 not_found");
  assertEquals(await outcomeOf(get("payments/limit", publishableKey)), "404 not_found");
});

test("who asks for secrets in vain stands in the audit log", async () => {
  const path = "payments?include_secrets=true&environment=production";
  for (const credentials of [publishableKey, await signedIn(), KEYS.svc_rides, KEYS.ci]) {
    assertEquals(await outcomeOf(get(path, credentials)), "403 forbidden");
  }

  const logged = await database.sql`
    select actor_type, actor_identifier, resource_id, metadata ->> 'code' as code
    from public.system_audit_logs where action = 'secret_reveal_refused' order by id`;
  assertEquals(logged.map((row) => Object.values(row)), [
    ["anonymous", "default", "payments,production", "forbidden"],
    ["user", USER_ID, "payments,production", "forbidden"],
    ["service", "svc_rides", "payments,production", "forbidden"],
    ["service", "ci", "payments,production", "forbidden"],
  ]);
});

test("what is known already is 304, until something changes", async () => {
  const first = await get("payments", KEYS.svc_payments);
  const { version } = await first.json();
  const etag = first.headers.get("etag")!;
  const again = () => get("payments", KEYS.svc_payments, { "if-none-match": `W/${etag}` });

  assertEquals([(await again()).status, first.headers.get("x-config-version")], [304, String(version)]);
  await write({ key: "token", value: "hush-1", isSecret: true });
  const changed = await again();
  assertEquals([changed.status, (await changed.json()).version > version], [200, true]);
  assertNotEquals(changed.headers.get("etag"), etag);
});

test("a browser may ask with a tag, and read tag and version of the answer", async () => {
  const headers = { "origin": "https://app.example.com", "access-control-request-method": "GET" };
  const preflight = await fetch(`${url}/functions/v1/config-fetch/payments`, { method: "OPTIONS", headers });
  const answer = await get("payments", publishableKey, { origin: "https://app.example.com" });
  await answer.body?.cancel();

  const exposed = answer.headers.get("access-control-expose-headers")!.toLowerCase().split(", ");
  assertEquals(
    ["etag", "retry-after", "x-config-stale", "x-config-version"].filter((name) => !exposed.includes(name)),
    [],
  );
  assertEquals([preflight.status, preflight.headers.get("access-control-allow-origin")], [204, "*"]);
  assertEquals(preflight.headers.get("access-control-allow-headers")!.includes("if-none-match"), true);
});

test("functions.invoke() of supabase-js reads the public part", async () => {
  const client = createClient(url, publishableKey, { auth: { persistSession: false } });

  const { data, error } = await client.functions.invoke("config-fetch/payments", { method: "GET" });

  assertEquals([error, data.entries.region.value, data.environment], [null, "rw", "development"]);
});
