import { guardedFetch } from "../../../shared/http/guarded_fetch.ts";
import { providers } from "../../../shared/payments/configured_providers.ts";
import type { PaymentAttempt, PaymentProviders, ProviderAnswer } from "../../../shared/payments/payment_provider.ts";
import type { SettingName } from "../../../shared/env.ts";
import { useSettings } from "../../support/settings.ts";

const NONE: Partial<Record<SettingName, string | undefined>> = {
  STRIPE_SECRET_KEY: undefined,
  FLUTTERWAVE_SECRET_KEY: undefined,
  PAYSTACK_SECRET_KEYS: undefined,
  MTN_MOMO_TARGET_ENVIRONMENT: undefined,
  MTN_MOMO_COLLECTION_SUBSCRIPTION_KEY: undefined,
  MTN_MOMO_DISBURSEMENT_SUBSCRIPTION_KEY: undefined,
  MTN_MOMO_CALLBACK_URL: undefined,
};
const settings = { ...NONE };
useSettings(settings);

/** The providers of these settings alone, which may call these hosts. */
export function providersWith(
  values: Partial<Record<SettingName, string | undefined>>,
  ...hosts: string[]
): PaymentProviders {
  Object.assign(settings, NONE, { OUTBOUND_ALLOWED_HOSTS: hosts.join(",") }, values);
  return providers(guardedFetch);
}

/** An attempt to collect 500 francs, unless told otherwise. */
export function attempt(fields: Partial<PaymentAttempt> = {}): PaymentAttempt {
  return {
    id: crypto.randomUUID(),
    transaction_id: crypto.randomUUID(),
    kind: "charge",
    provider: "mtn_momo",
    amount: 500,
    currency: "RWF",
    phone: "+250788000001",
    reference: "7Q2M9XK4TB",
    description: "Moto to Kimironko",
    provider_id: null,
    original_provider_id: null,
    original_attempt_id: null,
    ...fields,
  };
}

/** What an answer says, in a few words: `succeeded`, `failed insufficient_funds`, `not_sent dns_failed`, `not_found`. */
export function gist(answer: ProviderAnswer): string {
  if (answer.kind === "not_found") return "not_found";
  if (answer.kind === "not_sent") return `not_sent ${answer.reason}`;
  const { status, failure_code } = answer.signal;
  return failure_code === null ? status : `${status} ${failure_code}`;
}
