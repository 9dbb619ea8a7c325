import { exportJWK, generateKeyPair, SignJWT } from "jose";

/** Signs access tokens as Supabase Auth does, with a key of this test file's own. */
export interface TokenIssuer {
  /** The value of `SUPABASE_JWKS`. */
  jwks: string;
  /** A token of user `sub`; claims given here win over the usual ones. */
  sign(claims?: Record<string, unknown>, header?: { kid?: string }): Promise<string>;
}

/** Makes an issuer with an ES256 key, as new Supabase projects have. */
export async function createTokenIssuer(kid = "test-es256"): Promise<TokenIssuer> {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const key = { ...await exportJWK(publicKey), alg: "ES256", kid, use: "sig" };
  return {
    jwks: JSON.stringify({ keys: [key] }),
    sign(claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000);
      const usual = { sub: USER_ID, role: "authenticated", aud: "authenticated", iat: now, exp: now + 3600 };
      return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: "ES256", kid, ...header }).sign(privateKey);
    },
  };
}

/** The `sub` of tokens that name no other. */
export const USER_ID = "6f1c7c2e-8f0e-4c5b-9d5e-2f8a3b1c4d5e";
