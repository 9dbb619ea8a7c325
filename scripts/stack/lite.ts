import { App } from "@supabase/lite";
import { createPostgresConnection } from "@supabase/lite/postgres";
import { extname } from "@std/path";
import type { Keys } from "./identity.ts";

/** Supabase's auth, tables and studio over a Postgres of ours. */
export interface Lite {
  fetch(request: Request): Promise<Response>;
  ensureSystemSchema(): Promise<void>;
  close(): Promise<void>;
}

/** As `minimum_password_length` in supabase/config.toml. */
export const MINIMUM_PASSWORD_LENGTH = 8;

// lite hands jsonb to the driver as text already, which would encode it a second time.
function asJson(value: unknown): string {
  return typeof value === "string" && /^\s*[\[{]/.test(value) ? value : JSON.stringify(value);
}

const JSON_TYPES = {
  jsonb: { to: 3802, from: [3802], serialize: asJson, parse: JSON.parse },
  json: { to: 114, from: [114], serialize: asJson, parse: JSON.parse },
};

// lite has no SMS codes. Their tries are counted here, which GoTrue leaves to a rate limit.
const PHONE_CODES = `
  create table if not exists auth.phone_codes (
    user_id uuid not null references auth.users (id) on delete cascade,
    purpose text not null check (purpose in ('sms', 'phone_change')),
    phone text not null,
    code_hash bytea not null,
    wrong_tries integer not null default 0,
    expires_at timestamptz not null,
    primary key (user_id, purpose)
  )`;

/** Opens lite on a database; it needs the cluster's superuser, because it owns the `auth` tables and switches roles itself. */
export function createLite(superuserUrl: string, keys: Keys): Lite {
  const connection = createPostgresConnection({
    url: superuserUrl,
    postgresOptions: { onnotice: () => {}, max: 5, types: JSON_TYPES },
  });
  // Otherwise its first request grants everything on every schema with row-level security to every client role.
  Object.assign(connection, { rlsState: "active" });
  const app = new App({
    connection,
    api: { schemas: ["public"] },
    auth: {
      enabled: true,
      jwt_secret: keys.jwtSecret,
      publishable_key: keys.publishableKey,
      secret_key: keys.secretKey,
      minimum_password_length: MINIMUM_PASSWORD_LENGTH,
      enable_refresh_token_rotation: true,
    },
    options: { server: { admin: true } },
    // deno-lint-ignore no-explicit-any -- lite's own type demands every default to be spelled out
  } as any);
  return {
    fetch: async (request) => await studioFile(request) ?? await app.fetch(asCaller(request)),
    ensureSystemSchema: async () => {
      await app.ensureSystemSchema();
      await connection.exec(PHONE_CODES);
    },
    close: () => connection.close(),
  };
}

/**
 * In admin mode lite serves any local request without a key as service_role. Only the studio's own page may have that:
 * browsers alone set `Sec-Fetch-Site`. Others get an empty key, which lite refuses as the platform refuses none.
 */
function asCaller(request: Request): Request {
  const hasKey = request.headers.has("apikey") || new URL(request.url).searchParams.has("apikey");
  if (hasKey || request.headers.get("sec-fetch-site") === "same-origin") return request;
  const headers = new Headers(request.headers);
  headers.set("apikey", "");
  return new Request(request, { headers });
}

const CONTENT_TYPES: Record<string, string> = {
  ".css": "text/css; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".woff2": "font/woff2",
};

/** The studio's scripts, styles and fonts, which lite's own command line serves from its package. */
async function studioFile(request: Request): Promise<Response | undefined> {
  const { pathname } = new URL(request.url);
  if (!/^\/static\/(assets\/)?[\w.-]+$/.test(pathname)) return;
  try {
    const file = await Deno.open(new URL(import.meta.resolve(`@supabase/lite${pathname}`)));
    return new Response(file.readable, { headers: { "content-type": CONTENT_TYPES[extname(pathname)] ?? "" } });
  } catch {
    return new Response(null, { status: 404 });
  }
}
