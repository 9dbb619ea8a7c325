import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { createAuth } from "../../scripts/stack/auth.ts";
import { LOCAL_KEYS } from "../../scripts/stack/development.ts";
import { createGateway, type GatewayOptions } from "../../scripts/stack/gateway.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

/** The stack's HTTP side on a port of its own, over a test database that holds one table of notes. */
export interface LocalApi {
  url: string;
  database: TestDatabase;
  /** The last code sent to each phone number. */
  codes: Map<string, string>;
  /** A client like a browser's: the publishable key, and nobody signed in. */
  client(key?: string): SupabaseClient;
  stop(): Promise<void>;
}

/** Starts the API; nothing has been asked of it yet. */
export async function startLocalApi(served: Partial<GatewayOptions> = {}): Promise<LocalApi> {
  const database = await createTestDatabase();
  await createNotes(database);
  const codes = new Map<string, string>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => gateway(request));
  const url = `http://127.0.0.1:${server.addr.port}`;
  const auth = createAuth({
    superuserUrl: database.superuserUrl,
    keys: LOCAL_KEYS,
    onOtp: (phone, code) => void codes.set(phone, code),
    publicUrl: url,
  });
  const rpc = (request: Request) => Promise.resolve(Response.json({ rpc: new URL(request.url).pathname }));
  const gateway = createGateway({ functions: {}, rpc, auth, publicUrl: url, ...served });
  return {
    url,
    database,
    codes,
    client: (key = LOCAL_KEYS.publishableKey) =>
      createClient(url, key, { auth: { persistSession: false, autoRefreshToken: false } }),
    stop: async () => {
      await server.shutdown();
      await auth.close();
      await database.sql.end();
    },
  };
}

/** A test against a running API, whose connections outlive it. */
export function apiTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

/** Signs somebody new up by email, and returns their client. */
export async function signedUp(api: LocalApi, email = `${crypto.randomUUID()}@example.com`): Promise<SupabaseClient> {
  const client = api.client();
  const { error } = await client.auth.signUp({ email, password: "a long password" });
  if (error) throw error;
  return client;
}

async function createNotes({ sql }: TestDatabase): Promise<void> {
  await sql.unsafe(`
    create table public.notes (
      id integer generated always as identity primary key,
      user_id uuid not null default auth.uid(),
      body text not null
    );
    alter table public.notes enable row level security;
    grant select, insert on public.notes to authenticated, service_role;
    create policy "People read their own notes" on public.notes for select to authenticated
    using (user_id = (select auth.uid()));
    create policy "People write their own notes" on public.notes for insert to authenticated
    with check (user_id = (select auth.uid()));
  `);
}
