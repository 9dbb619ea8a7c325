import { type Credentials, credentialsOf } from "shared/http/credentials.ts";
import { unauthorized } from "shared/http/unauthorized.ts";
import { isPublishable, writeKeyId } from "./write_keys.ts";

/** Who sends a request. */
export interface Sender {
  /** Null: a publishable key, or a user's token alone. */
  writeKeyId: string | null;
  /** The user of a token, who is then the user of every call. */
  userId: string | null;
}

/** What the headers say about the sender. */
export interface HeaderCredentials {
  /** A user's access token. */
  token: string | null;
  /** A key where clients mean one: Basic user name, `X-Write-Key`, `apikey`. */
  key: string | null;
  /** A bearer that is no token; a key of the body goes before it (Segment's OAuth has both). */
  bearer: string | null;
}

/** Finds what the headers say, which is not verified yet. */
export async function headerCredentials(headers: Headers): Promise<HeaderCredentials> {
  const { token, apikey }: Credentials = credentialsOf(headers);
  // Jitsu sends `key:secret`, of which the key is ours.
  const key = apikey?.split(":")[0] || null;
  if (token === null) return { token, key, bearer: null };
  const isToken = /^ey[\w-]+\.[\w-]+\.[\w-]+$/.test(token) && !await isPublishable(token);
  return isToken ? { token, key, bearer: null } : { token: null, key, bearer: token.split(":")[0]! };
}

/**
 * Verifies the credentials of a request.
 *
 * @throws credentials_missing, api_key_invalid, token_invalid (401)
 */
export async function verifySender({ token, key }: { token: string | null; key: string | null }): Promise<Sender> {
  if (token === null && key === null) throw unauthorized("credentials_missing");
  return {
    userId: token === null ? null : await userOf(token),
    writeKeyId: key === null ? null : await writeKeyId(key),
  };
}

async function userOf(token: string): Promise<string | null> {
  // Loaded when needed: nearly every request comes with a key alone.
  const { verifiedCaller } = await import("shared/http/platform_auth.ts");
  const caller = await verifiedCaller({ token, apikey: null }, ["user"]);
  return caller.mode === "user" ? caller.claims.sub : null;
}
