import { SignJWT } from "jose";
import { LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { createIdentify } from "../../../scripts/stack/identity.ts";
import { createRpc, type Rpc, type RpcOptions } from "../../../scripts/stack/rpc/handler.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

/** `/rest/v1/rpc` over a test database of its own. */
export interface Service extends Rpc {
  database: TestDatabase;
}

/** Starts the service for one test file, over the functions that `sql` makes, which everybody may call. */
export async function startService(sql: string, options: Partial<RpcOptions> = {}): Promise<Service> {
  const database = await createTestDatabase();
  await database.sql.unsafe(`alter default privileges for role postgres grant execute on functions to public; ${sql}`);
  const rpc = createRpc({ url: database.authenticatorUrl, identify: createIdentify(LOCAL_KEYS), ...options });
  Deno.test.afterAll(async () => {
    await rpc.close();
    await database.sql.end();
  });
  return { ...rpc, database };
}

/** A test against a service whose connections outlive it. */
export function serviceTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

/** A GET as anon; `init` may say otherwise. */
export function get(path: string, init: RequestInit = {}): Request {
  const headers = new Headers({ apikey: LOCAL_KEYS.publishableKey });
  new Headers(init.headers).forEach((value, name) => headers.set(name, value));
  return new Request(`http://127.0.0.1/rest/v1/rpc/${path}`, { ...init, headers });
}

/** A POST of named arguments; a text is sent as it stands. */
export function post(path: string, args: unknown = {}, headers: HeadersInit = {}): Request {
  const body = typeof args === "string" ? args : JSON.stringify(args);
  const all = new Headers({ "content-type": "application/json" });
  new Headers(headers).forEach((value, name) => all.set(name, value));
  return get(path, { method: "POST", body, headers: all });
}

/** A token as Supabase Auth signs them. */
export function signToken(claims: Record<string, unknown>, secret = LOCAL_KEYS.jwtSecret): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(new TextEncoder().encode(secret));
}

/** The headers of somebody signed in. */
export async function asUser(claims: Record<string, unknown> = {}): Promise<HeadersInit> {
  return { authorization: `Bearer ${await signToken({ role: "authenticated", ...claims })}` };
}

/** The headers of a server. */
export const AS_SERVICE: HeadersInit = { apikey: LOCAL_KEYS.secretKey };

/** Status and code of a refusal. */
export async function refusalOf(answer: Response): Promise<[status: number, code: string]> {
  return [answer.status, (await answer.json()).code];
}
