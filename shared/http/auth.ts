import type { MiddlewareHandler } from "hono";
import { verifyCredentials } from "@supabase/server/core";
import type { Caller, Claims } from "../db/caller.ts";
import { type SettingName, settings } from "../env.ts";
import { Problem } from "../problem.ts";
import { indexOfSecret } from "./constant_time.ts";
import { type Credentials, credentialsOf } from "./credentials.ts";
import { describeRoute } from "./route_description.ts";
import { supabaseEnv } from "./supabase_env.ts";

/**
 * Who may call a route.
 *
 * - `user`: a Supabase access token; `operator`: one whose `app_metadata.role` is `operator`
 * - `publishable`: any publishable key; `secret`: the secret key named default; `secret:<name>`, `secret:*`: a named one, any
 * - `token:<SETTING>`: a static bearer token from a plural setting, for callers without a key of their own
 * - `none`: everybody; after others, it makes them optional
 */
export type AuthMode =
  | "user"
  | "operator"
  | "publishable"
  | "secret"
  | `secret:${string}`
  | `token:${SettingName}`
  | "none";

/** The callers that a mode lets in. */
export type CallerIn<Mode extends AuthMode> = Mode extends "user" | "operator" ? Extract<Caller, { mode: "user" }>
  : Mode extends "publishable" ? Extract<Caller, { mode: "publishable" }>
  : Mode extends "none" ? Extract<Caller, { mode: "none" }>
  : Mode extends `token:${string}` ? Extract<Caller, { mode: "verified" }>
  : Extract<Caller, { mode: "secret" }>;

/** What `auth()` adds to the context. */
export interface AuthEnv<Mode extends AuthMode> {
  Variables: { caller: CallerIn<Mode> };
}

/** Lets only the given callers in, the first mode that fits; the handler finds the caller in `c.var.caller`. */
export function auth<const Mode extends AuthMode>(...modes: [Mode, ...Mode[]]): MiddlewareHandler<AuthEnv<Mode>> {
  return describeRoute<MiddlewareHandler<AuthEnv<Mode>>>(async function auth(c, next) {
    c.set("caller", await authenticate(c.req.raw.headers, modes) as CallerIn<Mode>);
    await next();
  }, { auth: modes, problems: ["credentials_missing", "api_key_invalid", "token_invalid", "forbidden"] });
}

/**
 * Finds out who is calling, among those that may.
 *
 * @throws credentials_missing, api_key_invalid, token_invalid (401), forbidden (403)
 */
export async function authenticate(headers: Headers, modes: readonly AuthMode[]): Promise<Caller> {
  const credentials = credentialsOf(headers);
  const holder = await staticTokenHolder(credentials, modes);
  if (holder) return holder;
  const platformModes = modes.flatMap(platformMode);
  if (platformModes.length === 0) throw unauthorized(credentials.token ? "token_invalid" : "credentials_missing");
  const { data, error } = await verifyCredentials(credentials, {
    auth: platformModes,
    audience: "authenticated",
    env: supabaseEnv(),
  });
  if (error) throw refusal(error);
  if (data.authMode === "none") return { mode: "none" };
  if (data.authMode !== "user") return { mode: data.authMode, name: data.keyName ?? "default" };
  const claims = data.jwtClaims as Claims;
  if (!modes.includes("user") && claims.app_metadata?.role !== "operator") throw new Problem("forbidden");
  return { mode: "user", token: data.token ?? "", claims };
}

/** The holder of a static token, named after its setting: `WORKER_TOKENS` -> worker. */
async function staticTokenHolder({ token }: Credentials, modes: readonly AuthMode[]): Promise<Caller | undefined> {
  for (const mode of modes) {
    if (!mode.startsWith("token:")) continue;
    const name = mode.slice("token:".length) as SettingName;
    const accepted = settings(name);
    if (token !== null && await indexOfSecret(token, accepted) >= 0) {
      return { mode: "verified", name: name.replace(/_TOKENS$/, "").toLowerCase() };
    }
  }
}

type PlatformMode = "user" | "publishable:*" | "secret" | `secret:${string}` | "none";

function platformMode(mode: AuthMode): PlatformMode[] {
  if (mode.startsWith("token:")) return [];
  if (mode === "operator") return ["user"];
  // Publishable keys are public and all mean role anon: their names tell apps apart, not rights.
  if (mode === "publishable") return ["publishable:*"];
  return [mode as PlatformMode];
}

type AuthError = NonNullable<Awaited<ReturnType<typeof verifyCredentials>>["error"]>;

function refusal(error: AuthError): Problem {
  switch (error.code) {
    case "INVALID_JWT":
      return unauthorized("token_invalid", error);
    case "INVALID_API_KEY":
      // The key is one of ours, only not one for this route.
      return error.details?.matchedKeyName ? new Problem("forbidden") : unauthorized("api_key_invalid");
    case "MISSING_CREDENTIALS":
    case "UNUSABLE_CREDENTIAL":
    case "INVALID_CREDENTIALS":
      return unauthorized("credentials_missing");
    case "JWKS_FETCH_FAILED":
      return new Problem("service_unavailable", { headers: { "retry-after": "2" }, cause: error });
    default:
      return new Problem("not_configured", { cause: error });
  }
}

/** RFC 6750, section 3: without credentials no error is named. */
function unauthorized(code: "credentials_missing" | "api_key_invalid" | "token_invalid", cause?: unknown): Problem {
  const challenge = code === "credentials_missing" ? "Bearer" : 'Bearer error="invalid_token"';
  return new Problem(code, { headers: { "www-authenticate": challenge }, cause });
}
