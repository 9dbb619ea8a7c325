import type { MiddlewareHandler } from "hono";
import type { Caller } from "../db/caller.ts";
import { type SettingName, settings } from "../env.ts";
import { once } from "../once.ts";
import { Problem } from "../problem.ts";
import { indexOfSecret } from "../constant_time.ts";
import { type Credentials, credentialsOf } from "./credentials.ts";
import type { PlatformMode } from "./platform_auth.ts";
import { describeRoute } from "./route_description.ts";
import { unauthorized } from "./unauthorized.ts";

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
  const authenticate = authenticator(modes);
  return describeRoute<MiddlewareHandler<AuthEnv<Mode>>>(async function auth(c, next) {
    c.set("caller", await authenticate(c.req.raw.headers) as CallerIn<Mode>);
    await next();
  }, { auth: modes, problems: ["credentials_missing", "api_key_invalid", "token_invalid", "forbidden"] });
}

/** Loaded when needed: it is a third of what a function that serves static tokens alone would have to start with. */
const platformAuth = once(() => import("./platform_auth.ts"));

/**
 * Finds out who is calling, among those that may: a function of the request's headers that throws credentials_missing,
 * api_key_invalid, token_invalid (401) or forbidden (403).
 */
export function authenticator(modes: readonly AuthMode[]): (headers: Headers) => Promise<Caller> {
  const tokenSettings = modes.filter((mode) => mode.startsWith("token:"))
    .map((mode) => mode.slice("token:".length) as SettingName);
  const platformModes = modes.flatMap(platformMode);
  return async function authenticate(headers) {
    const credentials = credentialsOf(headers);
    const holder = tokenSettings.length > 0 && await staticTokenHolder(credentials, tokenSettings);
    if (holder) return holder;
    if (platformModes.length === 0) throw unauthorized(credentials.token ? "token_invalid" : "credentials_missing");
    const { verifiedCaller } = await platformAuth();
    const caller = await verifiedCaller(credentials, platformModes);
    const isOperator = caller.mode === "user" && caller.claims.app_metadata?.role === "operator";
    if (caller.mode === "user" && !modes.includes("user") && !isOperator) throw new Problem("forbidden");
    return caller;
  };
}

/** The holder of a static token, named after its setting: `WORKER_TOKENS` -> worker. */
async function staticTokenHolder({ token }: Credentials, names: readonly SettingName[]): Promise<Caller | undefined> {
  for (const name of names) {
    const accepted = settings(name);
    if (token !== null && await indexOfSecret(token, accepted) >= 0) {
      return { mode: "verified", name: name.replace(/_TOKENS$/, "").toLowerCase() };
    }
  }
}

function platformMode(mode: AuthMode): PlatformMode[] {
  if (mode.startsWith("token:")) return [];
  if (mode === "operator") return ["user"];
  // Publishable keys are public and all mean role anon: their names tell apps apart, not rights.
  if (mode === "publishable") return ["publishable:*"];
  return [mode as PlatformMode];
}
