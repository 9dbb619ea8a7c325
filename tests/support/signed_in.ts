import { SignJWT } from "jose";
import { LOCAL_KEY_ID, LOCAL_KEYS } from "../../scripts/stack/development.ts";

/** An access token of that user, as the local stack's Auth signs them: functions and database believe it. */
export function signedIn(userId: string, claims: Record<string, unknown> = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ role: "authenticated", aud: "authenticated", iat: now, exp: now + 3600, ...claims, sub: userId })
    .setProtectedHeader({ alg: "HS256", typ: "JWT", kid: LOCAL_KEY_ID })
    .sign(new TextEncoder().encode(LOCAL_KEYS.jwtSecret));
}
