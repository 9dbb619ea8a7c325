import type { Keys } from "./identity.ts";

/** Development values: public, the same on every machine, and refused by no one. Never use them on a hosted project. */
export const LOCAL_KEYS: Keys = {
  publishableKey: "sb_publishable_local",
  secretKey: "sb_secret_local",
  jwtSecret: "super-secret-jwt-token-with-at-least-32-characters-long",
};

/** The `kid` of locally signed tokens. */
export const LOCAL_KEY_ID = "local-hs256";

/** What the platform, `supabase/functions/.env` and the operator would set, with development values. */
export function developmentSettings(apiUrl: string, databaseUrl: string): Record<string, string> {
  return {
    SUPABASE_URL: apiUrl,
    SUPABASE_DB_URL: databaseUrl,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: LOCAL_KEYS.publishableKey }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: LOCAL_KEYS.secretKey }),
    SUPABASE_JWKS: JSON.stringify({
      keys: [{ kty: "oct", alg: "HS256", kid: LOCAL_KEY_ID, k: base64Url(LOCAL_KEYS.jwtSecret) }],
    }),
    APP_ENVIRONMENT: "development",
    FLAG_EXPOSURE_SAMPLE_RATE: "1",
    WHATSAPP_APP_SECRETS: "local-app-secret",
    WHATSAPP_VERIFY_TOKEN: "local-verify-token",
    STRIPE_WEBHOOK_SECRETS: "whsec_local_stripe,whsec_local_stripe_next",
    STANDARD_WEBHOOK_SECRETS:
      "whsec_bG9jYWwtc3RhbmRhcmQtd2ViaG9va3Mtc2VjcmV0,whsec_bG9jYWwtc3RhbmRhcmQtd2ViaG9va3MtbmV4dC0x",
    FLUTTERWAVE_SECRET_HASHES: "local-flutterwave-hash",
    PAYSTACK_SECRET_KEYS: "sk_test_local",
    MOMO_SMS_SECRETS: "local-momo-sms-secret",
    WORKER_TOKENS: "local-worker-token",
    METRICS_TOKENS: "local-metrics-token",
  };
}

function base64Url(text: string): string {
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
