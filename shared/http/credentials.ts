/** What a request brought to identify its sender; nothing is verified yet. */
export interface Credentials {
  /** A user's access token. */
  token: string | null;
  /** A publishable or secret key, or another key that only its function knows (an analytics write key). */
  apikey: string | null;
}

const AUTHORIZATION = /^(\w+) +(\S+)$/;

/**
 * Finds the credentials in every form that standard clients use: `apikey` (supabase-js), `X-API-Key` (OFREP),
 * `X-Write-Key`, `Authorization: Bearer` with a token or a key, Basic with the key as user name (Segment).
 */
export function credentialsOf(headers: Headers): Credentials {
  const header = textOf(headers, "apikey") ?? textOf(headers, "x-api-key") ?? textOf(headers, "x-write-key");
  const [, scheme = "", value = ""] = AUTHORIZATION.exec(textOf(headers, "authorization") ?? "") ?? [];
  if (scheme.toLowerCase() === "basic") return { token: null, apikey: header ?? userName(value) };
  if (scheme.toLowerCase() !== "bearer") return { token: null, apikey: header ?? null };
  // supabase-js repeats its key as the bearer until somebody has signed in.
  if (value === header || value.startsWith("sb_")) return { token: null, apikey: header ?? value };
  return { token: value, apikey: header ?? null };
}

function textOf(headers: Headers, name: string): string | undefined {
  return headers.get(name)?.trim() || undefined;
}

/** The user name of Basic credentials (RFC 7617), or null when they cannot be read. */
function userName(base64: string): string | null {
  try {
    return atob(base64).split(":")[0] || null;
  } catch {
    return null;
  }
}
