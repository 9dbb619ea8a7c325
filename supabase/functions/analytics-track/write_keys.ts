import { indexOfSecret } from "shared/constant_time.ts";
import { apiKeys } from "shared/db/client.ts";
import { serviceRpc } from "shared/db/service_rpc.ts";
import { toHex } from "shared/hex.ts";
import { unauthorized } from "shared/http/unauthorized.ts";
import { RequestTrace } from "shared/trace.ts";

/** A revoked key works no longer than this. */
const KNOWN_MS = 30_000;
/** A new key works after this, though somebody tried it before. */
const UNKNOWN_MS = 5_000;
/** Strangers can invent any number of keys. */
const MAX_ENTRIES = 1_000;

const encoder = new TextEncoder();
const answers = new Map<string, { id: Promise<string | undefined>; until: number }>();

/**
 * The id of a write key, or null for a publishable key, which has none.
 *
 * @throws api_key_invalid (401)
 */
export async function writeKeyId(key: string): Promise<string | null> {
  if (await indexOfSecret(key, Object.values(apiKeys("publishable"))) >= 0) return null;
  const hash = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(key))));
  const id = await knownId(hash, performance.now());
  if (id === undefined) throw unauthorized("api_key_invalid");
  return id;
}

/** Asks the database at most once at a time for each key, and remembers the answer for a while. */
async function knownId(hash: string, now: number): Promise<string | undefined> {
  const known = answers.get(hash);
  if (known && known.until > now) return await known.id;
  if (answers.size >= MAX_ENTRIES) answers.clear();
  const entry = { id: findId(hash), until: now + KNOWN_MS };
  answers.set(hash, entry);
  try {
    const id = await entry.id;
    if (id === undefined) entry.until = now + UNKNOWN_MS;
    return id;
  } catch (error) {
    answers.delete(hash);
    throw error;
  }
}

async function findId(hash: string): Promise<string | undefined> {
  const call = serviceRpc("analytics-track", new RequestTrace(new Headers()));
  const [found] = await call("find_analytics_write_key", { key_sha256: hash });
  return found?.id;
}
