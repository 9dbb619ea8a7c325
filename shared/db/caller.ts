import type { Context } from "hono";

/** The claims of a Supabase access token that we use; everything else is kept as it came. */
export interface Claims {
  /** The user's id. */
  sub: string;
  role?: string;
  phone?: string;
  app_metadata?: { role?: string } & Record<string, unknown>;
  [claim: string]: unknown;
}

/**
 * Who is calling, and so with whose rights `rpc()` reaches the database.
 *
 * RLS is the wall: `user`, `publishable` and `none` reach it with what the caller brought (role authenticated or anon).
 * Only `secret` (a named secret key) and `verified` (see {@link trust}) use our own secret key (role service_role).
 */
export type Caller =
  | { mode: "user"; token: string; claims: Claims }
  | { mode: "publishable"; name: string }
  | { mode: "secret"; name: string }
  | { mode: "verified"; name: string }
  | { mode: "none" };

/**
 * Lets the rest of this request use the secret key, under the given actor name.
 *
 * Call it only in a middleware that has just verified the sender by other means: a signature over the raw body, a
 * static bearer token. The name reaches SQL as `x-actor` and stands in the audit log.
 */
export function trust(c: Context, name: string): void {
  c.set("caller", { mode: "verified", name } satisfies Caller);
}
