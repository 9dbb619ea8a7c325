import { assertEquals } from "@std/assert";
import { SignJWT } from "jose";
import { developmentSettings, LOCAL_KEY_ID, LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { createIdentify } from "../../../scripts/stack/identity.ts";
import { createRpc } from "../../../scripts/stack/rpc/handler.ts";
import operations from "../../../supabase/functions/operations/index.ts";
import { readiness } from "../../../supabase/functions/operations/readiness.ts";
import { RequestTrace } from "shared/trace.ts";
import { createTestDatabase } from "../../support/database.ts";
import { captureLog } from "../../support/log_lines.ts";
import { outcomeOf } from "../../support/problems.ts";
import { useSettings } from "../../support/settings.ts";

captureLog();
const KEYS = { default: LOCAL_KEYS.secretKey, svc_payments: "sb_secret_payments", svc_rides: "sb_secret_rides" };
const database = await createTestDatabase();
const rpc = createRpc({ url: database.authenticatorUrl, identify: createIdentify(LOCAL_KEYS) });
let isAway = false;
let calls = 0;
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
  calls++;
  if (isAway) return new Response(null, { status: 503 });
  // The platform takes every secret key of the project; the local one knows a single one.
  const headers = new Headers(request.headers);
  if (Object.values(KEYS).includes(headers.get("apikey") ?? "")) {
    headers.set("apikey", KEYS.default);
    headers.set("authorization", `Bearer ${KEYS.default}`);
  }
  return await rpc.fetch(new Request(request, { headers }));
});
useSettings({
  ...developmentSettings(`http://127.0.0.1:${server.addr.port}`, database.url),
  SUPABASE_SECRET_KEYS: JSON.stringify(KEYS),
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

async function send(method: string, path: string, headers: HeadersInit = {}, body?: unknown): Promise<Response> {
  const given = new Headers(headers);
  if (body !== undefined) given.set("content-type", "application/json");
  const init = { method, headers: given, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  return await operations.fetch(new Request(`http://127.0.0.1/operations${path}`, init));
}

const keyOf = (name: keyof typeof KEYS) => ({ apikey: KEYS[name] });
const RIDES = { service_name: "rides", service_type: "http", version: "1.2.3" };

function tokenOf(appMetadata: Record<string, unknown>): Promise<string> {
  const sub = crypto.randomUUID();
  return new SignJWT({ sub, role: "authenticated", aud: "authenticated", app_metadata: appMetadata })
    .setProtectedHeader({ alg: "HS256", kid: LOCAL_KEY_ID, typ: "JWT" })
    .setExpirationTime("5m")
    .sign(new TextEncoder().encode(LOCAL_KEYS.jwtSecret));
}

const bearer = async (appMetadata = {}) => ({ authorization: `Bearer ${await tokenOf(appMetadata)}` });

test("an instance registers, beats, is found by operators, and leaves", async () => {
  const key = keyOf("svc_rides");
  const registered = await send("POST", "/services", key, { ...RIDES, capabilities: ["maps"] });
  const { is_new, status } = await registered.json();
  const again = await send("POST", "/services", key, { ...RIDES, capabilities: ["maps"] });
  const beaten = await send("PUT", "/services/rides/heartbeat", key, { status: "warning", metrics: { queue: 3 } });

  assertEquals([registered.status, is_new, status, again.status], [201, true, "passing", 200]);
  assertEquals([beaten.status, (await beaten.json()).status], [200, "warning"]);
  await again.body?.cancel();
  const operator = await bearer({ role: "operator" });
  const found = await (await send("GET", "/services?capabilities=maps", operator)).json();
  assertEquals(found.map((each: Record<string, unknown>) => [each.service_name, each.status, each.metrics]), [
    ["rides", "warning", { queue: 3 }],
  ]);
  const [overview] = await (await send("GET", "/services/overview", operator)).json();
  assertEquals([overview.service_name, overview.status, overview.warning_count], ["rides", "warning", 1]);
  assertEquals((await send("DELETE", "/services/rides", key)).status, 204);
  assertEquals(await outcomeOf(send("PUT", "/services/rides/heartbeat", key, {})), "404 service_not_found");
});

test("a service's key registers, beats and deregisters for itself alone; the default key for all", async () => {
  const other = keyOf("svc_payments");
  assertEquals(await outcomeOf(send("POST", "/services", other, RIDES)), "403 service_out_of_scope");
  assertEquals(await outcomeOf(send("POST", "/services", keyOf("default"), RIDES)), "201");
  assertEquals(await outcomeOf(send("PUT", "/services/rides/heartbeat", other, {})), "403 service_out_of_scope");
  assertEquals(await outcomeOf(send("DELETE", "/services/rides", other)), "403 service_out_of_scope");
});

test("clients, visitors and people who are no operators are refused", async () => {
  const publishable = { apikey: LOCAL_KEYS.publishableKey };

  assertEquals(await outcomeOf(send("POST", "/services", publishable, RIDES)), "401 api_key_invalid");
  assertEquals(await outcomeOf(send("GET", "/services", publishable)), "401 api_key_invalid");
  assertEquals(await outcomeOf(send("GET", "/services")), "401 credentials_missing");
  assertEquals(await outcomeOf(send("GET", "/services", await bearer())), "403 forbidden");
  assertEquals(await outcomeOf(send("GET", "/services/overview", await bearer())), "403 forbidden");
  assertEquals(
    (await outcomeOf(send("POST", "/services", await bearer({ role: "operator" }), RIDES))).slice(0, 2),
    "40",
  );
});

test("what is not understood is refused with a pointer", async () => {
  const key = keyOf("default");
  const wrong = [{ ...RIDES, ttl_seconds: 1 }, { ...RIDES, endpoint: "ftp://x" }, { ...RIDES, extra: 1 }, {}, []];

  for (const body of wrong) {
    assertEquals(await outcomeOf(send("POST", "/services", key, body)), "422 validation_failed");
  }
  assertEquals(await outcomeOf(send("PUT", "/services/Rides/heartbeat", key, {})), "422 validation_failed");
  assertEquals(await outcomeOf(send("GET", "/services?capabilities=,", key)), "422 validation_failed");
  assertEquals(await outcomeOf(send("PATCH", "/services", key)), "405 method_not_allowed");
  const credentials = { ...RIDES, endpoint: "https://user:password@rides.example.com" };
  assertEquals(await outcomeOf(send("POST", "/services", key, credentials)), "422 invalid_argument");
});

test("health is told to everybody, without asking anybody", async () => {
  const before = calls;
  const answer = await send("GET", "/health");

  assertEquals([answer.status, await answer.json(), calls], [200, { status: "ok" }, before]);
});

test("ready says the status to strangers and the reasons to operators, from one probe", async () => {
  const answer = await send("GET", "/ready");
  const before = calls;
  const [told] = await Promise.all([
    send("GET", "/ready", await bearer({ role: "operator" })),
    ...Array.from({ length: 20 }, async () => await (await send("GET", "/ready")).body?.cancel()),
  ]);
  const reasons = await told.json();

  assertEquals([answer.status, await answer.json(), calls], [200, { status: "ready" }, before]);
  assertEquals([reasons.status, reasons.database.status, reasons.failing_schedule], ["ready", "passing", []]);
});

test("operators are told what is late, who works, which tables lack room, and the last migration", async () => {
  const { sql } = database;
  await sql`update private.schedule set created_at = now() - interval '2 days', last_started_at = null`;
  await sql`update private.worker_runs set ended_at = '2026-01-02T03:04:05Z', extended_at = null where slot = 1`;
  const [ahead] = await sql`select leaf::text from private.partition_leaves
    where table_name = 'system_metrics' and month > now() order by month limit 1`;
  await sql.unsafe(`drop table ${ahead!.leaf}`);
  const [newest] = await sql`select max(version) as version from supabase_migrations.schema_migrations`;

  const reading = await readiness(new RequestTrace(new Headers()), Date.now() + 1_800_000);

  assertEquals(reading.status, "ready");
  assertEquals(reading.late_schedule?.includes("ensure-partitions"), true);
  assertEquals(Date.parse(reading.worker_seen_at!), Date.UTC(2026, 0, 2, 3, 4, 5));
  assertEquals([reading.unhealthy_partitions, reading.schema_version], [["system_metrics"], newest!.version]);
});

test("readiness() asks again after five seconds, and says when the database is away", async () => {
  const trace = new RequestTrace(new Headers());
  const later = Date.now() + 3_600_000;
  isAway = true;
  try {
    const away = await readiness(trace, later);
    isAway = false;

    assertEquals([away.status, away.database?.code], ["not_ready", "service_unavailable"]);
    assertEquals((await readiness(trace, later + 4_999)).status, "not_ready");
    assertEquals((await readiness(trace, later + 5_000)).status, "ready");
  } finally {
    isAway = false;
  }
});

/** A job of `rides` that was posted, which the service answered with 202. */
async function acceptedJob(): Promise<{ id: string; lease_token: number }> {
  const { sql } = database;
  await sql`select public.handle_jobs_by_service('rides.match', 'rides', '/jobs', 'Finds drivers')`;
  await sql`select public.rotate_service_secret('rides', 0)`;
  await sql`select public.register_service('rides', 'http', '1', 'https://rides.example.com', instance_id => 'jobs')`;
  await sql`select public.schedule_job('rides.match')`;
  const [job] = await sql`select id, lease_token::int from public.claim_service_jobs()`;
  const reports = JSON.stringify([{ job_id: job!.id, lease_token: job!.lease_token, status: 202 }]);
  await sql`select public.report_service_jobs(${reports}::text::jsonb)`;
  return job as never;
}

test("a service ends a job that it answered 202, with the lease and by its own key alone", async () => {
  const { id, lease_token } = await acceptedJob();
  const complete = (key: keyof typeof KEYS, token = lease_token) =>
    send("POST", `/jobs/${id}/complete`, keyOf(key), { lease_token: token, result: { driver: 3 } });

  assertEquals(await outcomeOf(complete("svc_payments")), "403 service_out_of_scope");
  assertEquals(await outcomeOf(complete("svc_rides", lease_token + 1)), "409 lease_lost");
  const ended = await complete("svc_rides");
  assertEquals([ended.status, await ended.json()], [200, { state: "succeeded" }]);
  assertEquals(await outcomeOf(complete("svc_rides")), "200");
  const [row] = await database.sql`select result from public.background_jobs where id = ${id}`;
  assertEquals(row!.result, { driver: 3 });
});

test("a service fails a job that it answered 202, for good if it says so; of others' jobs it knows nothing", async () => {
  const { id, lease_token } = await acceptedJob();
  const fail = (path: string, key: keyof typeof KEYS) =>
    send("POST", `/jobs/${path}/fail`, keyOf(key), { lease_token, error: "no driver", is_final: true });

  assertEquals(await outcomeOf(fail(id, "svc_payments")), "403 service_out_of_scope");
  assertEquals(await outcomeOf(fail(crypto.randomUUID(), "svc_rides")), "404 job_not_found");
  const ended = await fail(id, "svc_rides");
  assertEquals([ended.status, await ended.json()], [200, { state: "failed" }]);
  assertEquals((await send("POST", `/jobs/${id}/fail`, {}, { lease_token, error: "x" })).status, 401);
});
