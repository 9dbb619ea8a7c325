import type { Context } from "hono";
import { setting, type SettingName } from "../env.ts";
import { Problem } from "../problem.ts";
import type { RequestTrace } from "../trace.ts";
import type { Caller } from "./caller.ts";

/** API keys by name, as the platform gives them. */
export type ApiKeys = Readonly<Record<string, string>>;

const KEY_SETTINGS = {
  publishable: ["SUPABASE_PUBLISHABLE_KEYS", "SUPABASE_PUBLISHABLE_KEY", "SUPABASE_ANON_KEY"],
  secret: ["SUPABASE_SECRET_KEYS", "SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY"],
} as const satisfies Record<string, readonly [SettingName, SettingName, SettingName]>;

const parsed = new Map<string, ApiKeys>();

/** The project's publishable or secret keys; parsed once per isolate. */
export function apiKeys(kind: keyof typeof KEY_SETTINGS): ApiKeys {
  const [plural, singular, legacy] = KEY_SETTINGS[kind];
  const raw = setting(plural, null);
  if (raw === null) return { default: setting(singular, null) ?? setting(legacy) };
  const known = parsed.get(raw);
  if (known) return known;
  const keys = parseKeys(raw, plural);
  parsed.set(raw, keys);
  return keys;
}

/** Where PostgREST serves a function of the public schema. */
export function rpcUrl(name: string): string {
  return `${setting("SUPABASE_URL")}/rest/v1/rpc/${name}`;
}

/** Headers of one call: the caller's credentials or ours, and the ids that tie the traces together. */
export function callHeaders(c: Context, correlationId?: string): Record<string, string> {
  const trace: RequestTrace = c.get("trace");
  const caller: Caller = c.get("caller") ?? { mode: "none" };
  return { ...credentialHeaders(caller), ...traceHeaders(trace, correlationId ?? trace.correlationId) };
}

/** Headers of one JSON call that belongs to a trace, and perhaps to a piece of business. */
export function traceHeaders(trace: RequestTrace, correlationId?: string): Record<string, string> {
  return {
    "content-type": "application/json",
    "x-request-id": trace.requestId,
    "traceparent": trace.childTraceparent(),
    ...(correlationId ? { "x-correlation-id": correlationId } : {}),
  };
}

function credentialHeaders(caller: Caller): Record<string, string> {
  switch (caller.mode) {
    case "user":
      return { apikey: keyNamed("publishable", "default"), authorization: `Bearer ${caller.token}` };
    case "secret":
      return { ...keyHeaders(keyNamed("secret", caller.name)), "x-actor": caller.name };
    case "verified":
      return secretHeaders(caller.name);
    case "publishable":
      return keyHeaders(keyNamed("publishable", caller.name));
    case "none":
      return keyHeaders(keyNamed("publishable", "default"));
  }
}

/** Headers of a call with our secret key; `actor` is who SQL hears is calling. */
export function secretHeaders(actor: string): Record<string, string> {
  return { ...keyHeaders(keyNamed("secret", "default")), "x-actor": actor };
}

/** supabase-js sends a key in both places: the gateway reads `apikey`, PostgREST behind legacy keys reads the other. */
function keyHeaders(key: string): Record<string, string> {
  return { apikey: key, authorization: `Bearer ${key}` };
}

function keyNamed(kind: keyof typeof KEY_SETTINGS, name: string): string {
  const keys = apiKeys(kind);
  const key = keys[name] ?? (name === "default" ? Object.values(keys)[0] : undefined);
  if (key) return key;
  throw new Problem("not_configured", { cause: `there is no ${kind} key named ${name}` });
}

function parseKeys(raw: string, name: SettingName): ApiKeys {
  try {
    const keys: unknown = JSON.parse(raw);
    if (typeof keys === "object" && keys !== null && !Array.isArray(keys)) return keys as ApiKeys;
  } catch { /* reported below, without the value */ }
  throw new Problem("not_configured", { cause: `${name} is not a JSON object` });
}
