import { errors, jwtVerify } from "jose";
import { ApiError } from "./rpc/errors.ts";

/** Whom the database sees. */
export interface Identity {
  role: "anon" | "authenticated" | "service_role";
  claims: Record<string, unknown>;
}

/** A project's keys; tokens are signed with HS256. */
export interface Keys {
  publishableKey: string;
  secretKey: string;
  jwtSecret: string;
}

// PostgREST, Authentication: "Time-Based claims validation".
const CLOCK_SKEW_SECONDS = 30;

/**
 * Makes of a request's `apikey` and `Authorization` what the platform's gateway and PostgREST make of them:
 * a user's token decides over the key beside it, and a token that does not verify is refused, never ignored.
 *
 * @throws ApiError 401: PGRST302 without credentials, PGRST301 for a wrong key or signature, PGRST303 for wrong claims
 */
export function createIdentify(keys: Keys): (request: Request) => Promise<Identity> {
  const secret = crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(keys.jwtSecret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["verify"],
  );

  async function identify(credential: string): Promise<Identity> {
    if (credential === keys.publishableKey) return { role: "anon", claims: { role: "anon" } };
    if (credential === keys.secretKey) return { role: "service_role", claims: { role: "service_role" } };
    if (credential.startsWith("sb_")) throw invalidKey();
    return await verify(credential, await secret);
  }

  async function identifyKey(key: string): Promise<Identity> {
    const identity = await identify(key).catch(() => undefined);
    if (!identity || identity.role === "authenticated") throw invalidKey();
    return identity;
  }

  return async (request) => {
    const key = request.headers.get("apikey");
    const token = bearerToken(request);
    if (key === null && token === null) throw new ApiError(401, "PGRST302", "No API key found in request");
    const keyholder = key === null ? undefined : await identifyKey(key);
    if (token === null || token === key) return keyholder!;
    if (keyholder && token.startsWith("sb_")) throw invalidKey();
    return await identify(token);
  };
}

function bearerToken(request: Request): string | null {
  const match = request.headers.get("authorization")?.match(/^bearer(?:\s+(.*))?$/i);
  return match ? match[1] ?? "" : null;
}

async function verify(token: string, secret: CryptoKey): Promise<Identity> {
  const claims = await jwtVerify(token, secret, { algorithms: ["HS256"], clockTolerance: CLOCK_SKEW_SECONDS })
    .then(({ payload }) => payload, (error) => Promise.reject(refusal(error)));
  if (claims.iat !== undefined && claims.iat > Date.now() / 1000 + CLOCK_SKEW_SECONDS) {
    throw unauthorized("PGRST303", "JWT issued at future");
  }
  const { role = "anon" } = claims;
  if (role !== "anon" && role !== "authenticated" && role !== "service_role") {
    throw new ApiError(403, "42501", `permission denied to set role "${role}"`);
  }
  return { role, claims: { ...claims, role } };
}

function refusal(error: unknown): ApiError {
  if (error instanceof errors.JWTExpired) return unauthorized("PGRST303", "JWT expired");
  if (error instanceof errors.JWTClaimValidationFailed) {
    return unauthorized("PGRST303", `JWT refused: ${error.message}`);
  }
  return unauthorized("PGRST301", "The JWT could not be verified");
}

function invalidKey(): ApiError {
  return unauthorized("PGRST301", "Invalid API key");
}

function unauthorized(code: string, message: string): ApiError {
  const description = message.replaceAll('"', "'");
  return new ApiError(401, code, message, {
    headers: { "www-authenticate": `Bearer error="invalid_token", error_description="${description}"` },
  });
}
