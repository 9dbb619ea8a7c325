import { Problem } from "./problem.ts";

/** Every setting that the suite reads. Plural names hold comma-separated values, all of them valid, for rotation. */
export const SETTINGS = {
  SUPABASE_URL: "address of the project's API, given by the platform",
  SUPABASE_PUBLISHABLE_KEYS: "JSON object name -> publishable key, given by the platform",
  SUPABASE_PUBLISHABLE_KEY: "one publishable key, where the JSON object is absent",
  SUPABASE_ANON_KEY: "the legacy publishable key, where neither is present",
  SUPABASE_SECRET_KEYS: "JSON object name -> secret key, given by the platform",
  SUPABASE_SECRET_KEY: "one secret key, where the JSON object is absent",
  SUPABASE_SERVICE_ROLE_KEY: "the legacy secret key, where neither is present",
  SUPABASE_JWKS: "the public keys that user tokens are signed with, as JSON",
  SUPABASE_JWKS_URL: "where those keys are, when they are not given inline",
  SB_REGION: "region of this instance, given by the platform",
  SB_EXECUTION_ID: "id of this isolate, given by the platform",
  DENO_DEPLOYMENT_ID: "the deployed version, given by the platform",
  APP_ENVIRONMENT: "production, staging or development: the default of flags and configuration",
  FLAG_EVALUATION_REQUESTS_PER_MINUTE:
    "requests a minute of one client to flag-evaluation, if not 600; a secret key has 100 times as many",
  FLAG_EXPOSURE_SAMPLE_RATE: "share of people, 0 to 1, whose flag evaluations become analytics events, if not 0.01",
  OUTBOUND_ALLOWED_HOSTS: "hosts (https), *.hosts or host:port pairs that functions may call",
  ROUTING_API_URL: "a server that speaks OSRM's HTTP API; without it routes are estimated",
  WORKER_TOKENS: "bearer tokens of the schedule",
  METRICS_TOKENS: "bearer tokens of the metrics scraper",
  WHATSAPP_APP_SECRETS: "Meta app secrets that sign deliveries",
  WHATSAPP_VERIFY_TOKEN: "what Meta repeats in the webhook handshake",
  WHATSAPP_ACCESS_TOKEN: "token of the Graph API",
  WHATSAPP_API_URL: "Graph API with its version",
  AFRICAS_TALKING_API_KEY: "key of Africa's Talking, which sends text messages",
  AFRICAS_TALKING_USERNAME: "Africa's Talking: the app's user name; sandbox for the sandbox",
  AFRICAS_TALKING_SENDER_ID: "Africa's Talking: registered sender, if there is one",
  AFRICAS_TALKING_API_URL: "Africa's Talking's API, if not its own",
  TWILIO_ACCOUNT_SID: "account at Twilio, which sends text messages where Africa's Talking is not set",
  TWILIO_AUTH_TOKEN: "Twilio: the account's token",
  TWILIO_FROM: "Twilio: number, sender id or messaging service (MG...) that messages come from",
  TWILIO_API_URL: "Twilio's API, if not its own",
  EXPO_ACCESS_TOKEN: "token of Expo's push service, if the project asks for one",
  EXPO_API_URL: "Expo's API, if not its own",
  VAPID_PUBLIC_KEY: "what browsers subscribe with: 65 bytes in base64url",
  VAPID_PRIVATE_KEY: "signs push messages to browsers: 32 bytes in base64url",
  VAPID_SUBJECT: "whom push services write to: mailto: or https: address",
  RESEND_API_KEY: "key of Resend, which sends e-mail",
  RESEND_API_URL: "Resend's API, if not its own",
  SMTP_URL:
    "mail server where Resend is not set: smtps://user:password@host:465; its host:port stands in OUTBOUND_ALLOWED_HOSTS",
  EMAIL_FROM: "whom e-mail comes from: EasyMO <no-reply@example.com>",
  STRIPE_SECRET_KEY: "key of Stripe's API",
  STRIPE_API_URL: "Stripe's API, if not its own",
  STRIPE_WEBHOOK_SECRETS: "secrets that sign Stripe's events",
  STANDARD_WEBHOOK_SECRETS: "secrets of Standard Webhooks senders, whsec_ + base64",
  FLUTTERWAVE_SECRET_KEY: "key of Flutterwave's API",
  FLUTTERWAVE_API_URL: "Flutterwave's API, if not its own",
  FLUTTERWAVE_SECRET_HASHES: "what Flutterwave repeats in verif-hash",
  PAYSTACK_SECRET_KEYS: "keys of Paystack, which sign its events too",
  PAYSTACK_API_URL: "Paystack's API, if not its own",
  MOMO_SMS_SECRETS: "secrets of the phone that forwards payment messages",
  MTN_MOMO_TARGET_ENVIRONMENT: "MTN MoMo: sandbox or mtnrwanda",
  MTN_MOMO_API_URL: "MTN MoMo's API, if not the one of that environment",
  MTN_MOMO_COLLECTION_SUBSCRIPTION_KEY: "MTN MoMo: subscription key of Collection, by which people pay us",
  MTN_MOMO_COLLECTION_API_USER: "MTN MoMo: API user of Collection",
  MTN_MOMO_COLLECTION_API_KEY: "MTN MoMo: that user's key",
  MTN_MOMO_DISBURSEMENT_SUBSCRIPTION_KEY:
    "MTN MoMo: subscription key of Disbursement, by which we pay out and refund; MTN asks for a fixed address of ours",
  MTN_MOMO_DISBURSEMENT_API_USER: "MTN MoMo: API user of Disbursement",
  MTN_MOMO_DISBURSEMENT_API_KEY: "MTN MoMo: that user's key",
  MTN_MOMO_CALLBACK_URL:
    "MTN MoMo: where it reports results, https://<registered host>/functions/v1/payment-intake/webhooks/mtn-momo; without it we look up",
  MTN_MOMO_CALLBACK_SECRETS: "secrets from which callback tokens are derived; the first makes new ones",
} as const;

/** The name of a setting. */
export type SettingName = keyof typeof SETTINGS;

/**
 * The value of a setting, trimmed; an empty one counts as absent.
 *
 * @throws not_configured (503) when it is absent and there is no fallback; only the log names it
 */
export function setting<Fallback = never>(name: SettingName, fallback?: Fallback): string | Fallback {
  const value = Deno.env.get(name)?.trim();
  if (value) return value;
  if (fallback !== undefined) return fallback;
  throw new Problem("not_configured", { cause: `${name} is not set` });
}

/**
 * All values of a plural setting.
 *
 * @throws not_configured (503) when there is none and no fallback
 */
export function settings(name: SettingName, fallback?: readonly string[]): readonly string[] {
  const raw = setting(name, fallback && "");
  const values = raw.split(",").map((value) => value.trim()).filter(Boolean);
  if (values.length > 0) return values;
  if (fallback) return fallback;
  throw new Problem("not_configured", { cause: `${name} is empty` });
}
