import { App } from "@supabase/lite";
import { createPostgresConnection } from "@supabase/lite/postgres";
import type { Keys } from "./identity.ts";

/** Supabase's auth, tables and studio over a Postgres of ours. */
export type Lite = {
  fetch(request: Request): Promise<Response>;
  ensureSystemSchema(): Promise<void>;
  close(): Promise<void>;
};

// lite hands jsonb to the driver as text already, which would encode it a second time.
function asJson(value: unknown): string {
  return typeof value === "string" && /^\s*[\[{]/.test(value) ? value : JSON.stringify(value);
}

const JSON_TYPES = {
  jsonb: { to: 3802, from: [3802], serialize: asJson, parse: JSON.parse },
  json: { to: 114, from: [114], serialize: asJson, parse: JSON.parse },
};

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
    },
    // deno-lint-ignore no-explicit-any -- lite's own type demands every default to be spelled out
  } as any);
  return {
    fetch: async (request) => await app.fetch(request),
    ensureSystemSchema: () => app.ensureSystemSchema(),
    close: () => connection.close(),
  };
}
