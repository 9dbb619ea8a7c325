import { indexOfSecret } from "shared/constant_time.ts";
import { apiKeys } from "shared/db/client.ts";
import { serviceRpc } from "shared/db/service_rpc.ts";
import { toHex } from "shared/hex.ts";
import { unauthorized } from "shared/http/unauthorized.ts";
import { RequestTrace } from "shared/trace.ts";
import { KnownKeys } from "./known_keys.ts";

const encoder = new TextEncoder();
const known = new KnownKeys(async (hash) => {
  const call = serviceRpc("analytics-track", new RequestTrace(new Headers()));
  const [found] = await call("find_analytics_write_key", { key_sha256: hash });
  return found?.id;
});

/**
 * The id of a write key, or null for a publishable key, which has none.
 *
 * @throws api_key_invalid (401)
 */
export async function writeKeyId(key: string): Promise<string | null> {
  if (await isPublishable(key)) return null;
  const id = await known.idOf(toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(key)))));
  if (id === undefined) throw unauthorized("api_key_invalid");
  return id;
}

/** Tells whether a key is one of the project's publishable keys. */
export async function isPublishable(key: string): Promise<boolean> {
  return await indexOfSecret(key, Object.values(apiKeys("publishable"))) >= 0;
}
