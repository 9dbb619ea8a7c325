import { resolveEnv } from "@supabase/server/core";
import { apiKeys } from "../db/client.ts";
import { setting } from "../env.ts";
import { Problem } from "../problem.ts";

type SupabaseEnv = NonNullable<ReturnType<typeof resolveEnv>["data"]>;
let known: { source: string; jwks: SupabaseEnv["jwks"] } | undefined;

/** What tokens and keys are verified against; the key set is parsed once per isolate, not at every request. */
export function supabaseEnv(): SupabaseEnv {
  const url = setting("SUPABASE_URL");
  return { url, publishableKeys: apiKeys("publishable"), secretKeys: apiKeys("secret"), jwks: keySet(url) };
}

function keySet(url: string): SupabaseEnv["jwks"] {
  const source = setting("SUPABASE_JWKS", null) ?? setting("SUPABASE_JWKS_URL", null) ?? url;
  if (known?.source === source) return known.jwks;
  const { data, error } = resolveEnv({ url });
  if (error) throw new Problem("not_configured", { cause: error });
  known = { source, jwks: data.jwks };
  return data.jwks;
}
