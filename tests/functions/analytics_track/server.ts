import analyticsTrack from "../../../supabase/functions/analytics-track/index.ts";
import { developmentSettings, LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { createGateway } from "../../../scripts/stack/gateway.ts";
import { createIdentify } from "../../../scripts/stack/identity.ts";
import { createRpc } from "../../../scripts/stack/rpc/handler.ts";
import { createTestDatabase } from "../../support/database.ts";
import { captureLog } from "../../support/log_lines.ts";
import { useSettings } from "../../support/settings.ts";
import { createTokenIssuer } from "../../support/tokens.ts";

captureLog();

/** The database of this test file. */
export const database = await createTestDatabase();
const rpc = createRpc({ url: database.authenticatorUrl, identify: createIdentify(LOCAL_KEYS) });
const auth = { fetch: () => Promise.resolve(new Response(null, { status: 404 })) };
let isAway = false;
const calls: string[] = [];
/** SQLSTATEs with which the next calls of `track_events()` fail. */
export const failures: string[] = [];
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => gateway(request));
/** The stack's API: the gateway, with this function and the database's functions behind it. */
export const apiUrl = `http://127.0.0.1:${server.addr.port}`;
const gateway = createGateway({
  functions: { "analytics-track": analyticsTrack },
  rpc(request) {
    const name = new URL(request.url).pathname.split("/").at(-1)!;
    calls.push(name);
    const failure = name === "track_events" ? failures.shift() : undefined;
    if (failure) return Promise.resolve(Response.json({ code: failure, message: "" }, { status: 500 }));
    return isAway ? Promise.resolve(new Response("<html>", { status: 502 })) : rpc.fetch(request);
  },
  auth,
  publicUrl: apiUrl,
});
/** Where clients send to. */
export const trackUrl = `${apiUrl}/functions/v1/analytics-track`;
/** Whose tokens the function believes. */
export const issuer = await createTokenIssuer();
const settings = developmentSettings(apiUrl, database.url);
const keys = [settings.SUPABASE_JWKS!, issuer.jwks].flatMap((jwks) => JSON.parse(jwks).keys);
useSettings({ ...settings, SUPABASE_JWKS: JSON.stringify({ keys }) });

/** Makes a write key that is not limited, or only as given. */
export async function createWriteKey(eventsPerMinute: number | null = null): Promise<{ id: string; key: string }> {
  const key = `wk_${crypto.randomUUID().replaceAll("-", "")}`;
  const [row] = await database.sql`
    insert into public.analytics_write_keys (key_sha256, name, environment, events_per_minute)
    values (encode(sha256(convert_to(${key}, 'UTF8')), 'hex'), 'test', 'test', ${eventsPerMinute}) returning id`;
  return { id: row!.id, key };
}

/** Sends a body with a key as Basic user, unless the headers say otherwise. */
export function send(path: string, body: unknown, { key, ...init }: RequestInit & { key?: string } = {}) {
  const headers = new Headers(init.headers);
  if (key !== undefined) headers.set("authorization", `Basic ${btoa(`${key}:`)}`);
  const sent = typeof body === "string" || body instanceof Uint8Array || body instanceof Blob
    ? body
    : JSON.stringify(body);
  return fetch(`${trackUrl}${path}`, { method: "POST", body: sent as BodyInit, ...init, headers });
}

/** Sends and reads the answer. */
export async function answerTo(...given: Parameters<typeof send>): Promise<[status: number, body: Answer]> {
  const response = await send(...given);
  return [response.status, await response.json()];
}

/** What the function answers, and problems. */
export interface Answer {
  success: boolean;
  received: number;
  stored: number;
  duplicate: number;
  suppressed: number;
  rejected: { index: number; id: string | null; reason: string }[];
  type: string;
  results: Record<string, { result: string; details?: string }>;
}

/** What is stored of a write key, the earliest first. */
export function storedOf(key: { id: string }) {
  return database.sql`
    select id, event_name, type, user_id, anonymous_id, group_id, session_id, properties, context, occurred_at, is_bot
    from public.analytics_events where write_key_id = ${key.id} order by occurred_at, event_name`;
}

/** Takes the way to the database away, for as long as the work lasts. */
export async function withoutDatabase(work: () => Promise<void>): Promise<void> {
  isAway = true;
  try {
    await work();
  } finally {
    isAway = false;
  }
}

/** How often SQL functions of a name have been called. */
export function callsOf(name: string): number {
  return calls.filter((called) => called === name).length;
}

/** A test of the function over the one database, whose connections outlive it. */
export function trackTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}
