import flagEvaluation from "../../../supabase/functions/flag-evaluation/index.ts";
import { developmentSettings, LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { createIdentify } from "../../../scripts/stack/identity.ts";
import { createRpc } from "../../../scripts/stack/rpc/handler.ts";
import { createTestDatabase } from "../../support/database.ts";
import { captureLog } from "../../support/log_lines.ts";
import { useSettings } from "../../support/settings.ts";

captureLog();

/** The database of this test file, whose flags the function evaluates in `production`. */
export const database = await createTestDatabase();
const rpc = createRpc({ url: database.authenticatorUrl, identify: createIdentify(LOCAL_KEYS) });
let server = serve(0);
const port = server.addr.port;
/** The project's address, as clients know it. */
export const url = `http://127.0.0.1:${port}`;
useSettings({ ...developmentSettings(url, database.url), APP_ENVIRONMENT: "production" });

/** What a request differs in from `POST /ofrep/v1/evaluate/flags` with the publishable key and an empty context. */
export interface Ask {
  key?: string;
  environment?: string;
  apiKey?: string | null;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Asks the function. */
export async function ask(
  { key, environment, apiKey = LOCAL_KEYS.publishableKey, body = { context: {} }, headers }: Ask,
) {
  const path = `${environment ? `/${environment}` : ""}/ofrep/v1/evaluate/flags${key === undefined ? "" : `/${key}`}`;
  return await flagEvaluation.fetch(
    new Request(`http://127.0.0.1/flag-evaluation${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(apiKey ? { "x-api-key": apiKey } : {}), ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    }),
  );
}

/** Makes a flag in production, or changes one. */
export async function putFlag(
  key: string,
  given: { isClientVisible?: boolean; isEnabled?: boolean; rules?: unknown[] } = {},
) {
  const { isClientVisible = true, isEnabled = true, rules } = given;
  await database.sql.begin(async (sql) => {
    const [known] = await sql`select from public.feature_flags where flag_key = ${key}`;
    if (!known) await sql`select public.create_feature_flag(${key}, is_client_visible => ${isClientVisible})`;
    await sql`select public.set_feature_flag_enabled(${key}, 'production', ${isEnabled})`;
    if (rules) {
      await sql`select public.set_feature_flag_rules(${key}, 'production', ${
        JSON.stringify(rules)
      }::text::jsonb, 'off', 'off')`;
    }
  });
}

/** Takes the way to the database away, for as long as the work lasts. */
export async function withoutDatabase(work: () => Promise<void>): Promise<void> {
  await server.shutdown();
  try {
    await work();
  } finally {
    server = serve(port);
  }
}

/** Asks until the answer is as wanted: evaluators look for changes once a second. */
export async function eventually(isWanted: () => Promise<boolean>, withinMs = 2_000): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (performance.now() < end) {
    if (await isWanted()) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

/** A test of the function over the one database, whose connections outlive it. */
export function flagTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

function serve(port: number): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith("/functions/v1/")) return rpc.fetch(request);
    return flagEvaluation.fetch(new Request(`http://127.0.0.1${pathname.slice("/functions/v1".length)}`, request));
  });
}
