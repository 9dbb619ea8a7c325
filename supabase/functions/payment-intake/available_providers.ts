import { type SettingName, settings } from "shared/env.ts";
import { guardedFetch } from "shared/http/guarded_fetch.ts";
import { providers } from "shared/payments/configured_providers.ts";
import type { PaymentProviders } from "shared/payments/payment_provider.ts";
import { Problem } from "shared/problem.ts";
import type { PaymentMethod } from "./schema.ts";

/** What a method cannot do without: a provider's client, or the secret of the webhook that alone confirms it. */
const NEEDS: Record<PaymentMethod, { provider: keyof PaymentProviders } | { setting: SettingName } | null> = {
  wallet: null,
  mtn_momo: { provider: "mtn_momo" },
  card: { provider: "stripe" },
  momo_ussd: { setting: "MOMO_SMS_SECRETS" },
  // Its webhooks only make us ask.
  flutterwave: { provider: "flutterwave" },
  paystack: { setting: "PAYSTACK_SECRET_KEYS" },
  standard_webhooks: { setting: "STANDARD_WEBHOOK_SECRETS" },
};

/**
 * The configured providers, if one can pay by this method with them.
 *
 * @throws payment_method_unavailable (422), before anything is stored
 */
export function availableProviders(method: PaymentMethod): PaymentProviders {
  const configured = configuredProviders();
  const need = NEEDS[method];
  const isMet = need === null ||
    ("provider" in need ? configured[need.provider] !== undefined : settings(need.setting, []).length > 0);
  if (!isMet) throw new Problem("payment_method_unavailable");
  return configured;
}

/** Every provider whose settings are complete. */
export function configuredProviders(): PaymentProviders {
  return providers(guardedFetch);
}
