import configFetch from "../../../supabase/functions/config-fetch/index.ts";
import { developmentSettings, LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { createIdentify } from "../../../scripts/stack/identity.ts";
import { createRpc } from "../../../scripts/stack/rpc/handler.ts";
import { type Draft, put } from "../../sql/configuration/configurations.ts";
import { createTestDatabase } from "../../support/database.ts";
import { captureLog } from "../../support/log_lines.ts";
import { useSettings } from "../../support/settings.ts";
import { createTokenIssuer } from "../../support/tokens.ts";

captureLog();

/** The secret keys of the project by name, and its publishable one. */
export const KEYS = {
  default: LOCAL_KEYS.secretKey,
  svc_payments: "sb_secret_payments",
  svc_rides: "sb_secret_rides",
  ci: "sb_secret_ci",
};
export const { publishableKey } = LOCAL_KEYS;

/** The database of this test file. */
export const database = await createTestDatabase();
const issuer = await createTokenIssuer();
// The platform takes every secret key of the project, and whatever signs its users' tokens.
const identifyLocal = createIdentify(LOCAL_KEYS);
const rpc = createRpc({ url: database.authenticatorUrl, identify });

/** What every call told the database of its caller, and how it was answered. */
export const calls: { name: string; actor: string | null; headers: Headers; status: number }[] = [];
let server = serve(0);
const { port } = server.addr;
export const url = `http://127.0.0.1:${port}`;
useSettings({
  ...developmentSettings(url, database.url),
  SUPABASE_SECRET_KEYS: JSON.stringify(KEYS),
  SUPABASE_JWKS: issuer.jwks,
});
Deno.test.afterAll(async () => {
  await server.shutdown();
  await rpc.close();
  await database.sql.end();
});

/** A test of the function over the one database, whose connections outlive it. */
export function configTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

/** Headers of somebody who is signed in. */
export async function signedIn(claims: Record<string, unknown> = {}): Promise<Record<string, string>> {
  return { apikey: publishableKey, authorization: `Bearer ${await issuer.sign(claims)}` };
}

/** Asks the function; credentials are a key or whole headers. */
export async function get(
  path: string,
  credentials: string | Record<string, string>,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Response> {
  const own = typeof credentials === "string" ? { apikey: credentials } : credentials;
  const request = new Request(`http://127.0.0.1/config-fetch/${path}`, { headers: { ...own, ...headers }, signal });
  return await configFetch.fetch(request);
}

/** The keys that somebody is told. */
export async function keysOf(path: string, credentials: string | Record<string, string>): Promise<string[]> {
  return Object.keys((await (await get(path, credentials)).json()).entries).sort();
}

/** Writes a value. */
export async function write(draft: Draft): Promise<void> {
  await database.sql.begin((sql) => put(sql, draft));
}

/** Takes the API in front of the database away, for as long as the work lasts. */
export async function withoutApi(work: () => Promise<void>): Promise<void> {
  await server.shutdown();
  try {
    await work();
  } finally {
    server = serve(port);
  }
}

/** Lets nobody into the database and throws out who is in it, as when it is stopped, for as long as the work lasts. */
export async function withoutDatabase(work: () => Promise<void>): Promise<void> {
  const name = new URL(database.url).pathname.slice(1);
  await setConnectable(name, false);
  try {
    await work();
  } finally {
    await setConnectable(name, true);
  }
}

/** Waits until something is so. */
export async function until(isSo: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 60_000; !isSo();) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${isSo}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function setConnectable(name: string, isConnectable: boolean): Promise<void> {
  const { connect } = await import("../../../scripts/stack/connection.ts");
  const superuser = connect(database.superuserUrl.replace(name, "postgres"));
  await superuser.unsafe(`alter database ${name} with allow_connections ${isConnectable}`);
  if (!isConnectable) {
    await superuser`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${name} and usename <> 'postgres'`;
  }
  await superuser.end();
}

async function identify(request: Request): ReturnType<typeof identifyLocal> {
  const key = request.headers.get("apikey") ?? "";
  if (Object.values(KEYS).includes(key)) return { role: "service_role", claims: { role: "service_role" } };
  const token = request.headers.get("authorization")?.replace("Bearer ", "") ?? "";
  if (!token.startsWith("ey")) return await identifyLocal(request);
  const claims = JSON.parse(atob(token.split(".")[1]!.replaceAll("-", "+").replaceAll("_", "/")));
  return { role: "authenticated", claims };
}

function serve(port: number): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    if (pathname.startsWith("/functions/v1/")) {
      return await configFetch.fetch(new Request(`http://127.0.0.1${pathname.slice(13)}${search}`, request));
    }
    const answer = await rpc.fetch(request);
    const name = pathname.split("/").at(-1)!;
    calls.push({ name, actor: request.headers.get("x-actor"), headers: request.headers, status: answer.status });
    return answer;
  });
}
