import { verifyCredentials } from "@supabase/server/core";
import type { Caller, Claims } from "../db/caller.ts";
import { apiKeys } from "../db/client.ts";
import { Problem } from "../problem.ts";
import type { Credentials } from "./credentials.ts";
import { supabaseEnv } from "./supabase_env.ts";
import { unauthorized } from "./unauthorized.ts";

/** Callers that the platform's own keys and tokens tell. */
export type PlatformMode = "user" | "publishable:*" | "secret" | `secret:${string}` | "none";

/**
 * The caller whom the platform's keys and tokens tell, among those that may be.
 *
 * @throws credentials_missing, api_key_invalid, token_invalid (401), forbidden (403)
 */
export async function verifiedCaller(credentials: Credentials, modes: PlatformMode[]): Promise<Caller> {
  const publishable = publishableCaller(credentials, modes);
  if (publishable) return publishable;
  const { data, error } = await verifyCredentials(credentials, {
    auth: modes,
    audience: "authenticated",
    env: supabaseEnv(),
  });
  if (error) throw refusal(error);
  if (data.authMode === "none") return { mode: "none" };
  if (data.authMode !== "user") return { mode: data.authMode, name: data.keyName ?? "default" };
  return { mode: "user", token: data.token ?? "", claims: data.jwtClaims as Claims };
}

/** Publishable keys are public: to compare them in constant time, as all keys are below, guards nothing and costs most. */
function publishableCaller({ token, apikey }: Credentials, modes: PlatformMode[]): Caller | undefined {
  if (token !== null || apikey === null || !modes.includes("publishable:*")) return undefined;
  const known = Object.entries(apiKeys("publishable")).find(([, key]) => key === apikey);
  return known && { mode: "publishable", name: known[0] };
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
