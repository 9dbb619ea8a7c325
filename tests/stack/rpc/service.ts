import { SignJWT } from "jose";
import { LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { createIdentify } from "../../../scripts/stack/identity.ts";
import { createRpc, type Rpc, type RpcOptions } from "../../../scripts/stack/rpc/handler.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

/** `/rest/v1/rpc` over a test database. */
export interface Service {
  database: TestDatabase;
  rpc: Rpc;
  stop(): Promise<void>;
}

/** Starts the service over a database that holds the functions made by `sql`, each callable by everybody. */
export async function startService(sql: string, options: Partial<RpcOptions> = {}): Promise<Service> {
  const database = await createTestDatabase();
  await database.sql.unsafe(`alter default privileges for role postgres grant execute on functions to public; ${sql}`);
  const rpc = createRpc({ url: database.authenticatorUrl, identify: createIdentify(LOCAL_KEYS), ...options });
  return {
    database,
    rpc,
    stop: async () => {
      await rpc.close();
      await database.sql.end();
    },
  };
}

/** A request as anon; `headers` may say otherwise. */
export function call(path: string, init: RequestInit = {}): Request {
  const headers = new Headers({ apikey: LOCAL_KEYS.publishableKey });
  new Headers(init.headers).forEach((value, name) => headers.set(name, value));
  return new Request(`http://127.0.0.1/rest/v1/rpc/${path}`, { ...init, headers });
}

/** A POST with named arguments; a string is sent as it stands. */
export function post(path: string, args: unknown = {}, headers: HeadersInit = {}): Request {
  const body = typeof args === "string" ? args : JSON.stringify(args);
  return call(path, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
}

/** A token as Supabase Auth signs them. */
export function signToken(claims: Record<string, unknown>, secret = LOCAL_KEYS.jwtSecret): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(new TextEncoder().encode(secret));
}

/** Headers of somebody signed in. */
export async function asUser(claims: Record<string, unknown> = {}): Promise<HeadersInit> {
  return { authorization: `Bearer ${await signToken({ role: "authenticated", ...claims })}` };
}

/** The code of a refusal. */
export async function codeOf(answer: Response): Promise<[status: number, code: string]> {
  return [answer.status, (await answer.json()).code];
}
