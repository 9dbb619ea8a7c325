import type { Bytes } from "shared/bytes.ts";
import type { SettingName } from "shared/env.ts";
import type { PaymentEvent, ProviderName } from "shared/payments/payment_signal.ts";
import * as flutterwave from "shared/payments/webhooks/flutterwave.ts";
import * as momoSms from "shared/payments/webhooks/momo_sms.ts";
import type { PaymentWebhook } from "shared/payments/webhooks/payment_webhook.ts";
import * as paystack from "shared/payments/webhooks/paystack.ts";
import * as standardWebhooks from "shared/payments/webhooks/standard_webhooks.ts";
import * as stripe from "shared/payments/webhooks/stripe.ts";
import { storedEvent } from "./stored_event.ts";

/** A sender whose deliveries are signed, and the setting with the secrets that it signs with. */
export interface SignedWebhook extends Pick<PaymentWebhook, "verify"> {
  provider: ProviderName;
  secrets: SettingName;
  /** What is stored of an authentic delivery; null when nothing of it may be. */
  eventOf(body: Bytes, headers: Headers): Promise<PaymentEvent & { payload: object } | null>;
}

/** The last segment of each URL, and whose it is. */
export const WEBHOOKS: Readonly<Record<string, SignedWebhook>> = {
  "stripe": { provider: "stripe", secrets: "STRIPE_WEBHOOK_SECRETS", ...json(stripe) },
  "standard-webhooks": {
    provider: "standard_webhooks",
    secrets: "STANDARD_WEBHOOK_SECRETS",
    ...json(standardWebhooks),
  },
  "flutterwave": { provider: "flutterwave", secrets: "FLUTTERWAVE_SECRET_HASHES", ...json(flutterwave) },
  "paystack": { provider: "paystack", secrets: "PAYSTACK_SECRET_KEYS", ...json(paystack) },
  "momo-sms": { provider: "momo_sms", secrets: "MOMO_SMS_SECRETS", ...momoSms },
};

/** A provider that we cannot tell to write otherwise: what it sends is stored, understood or not. */
function json({ verify, signalOf }: PaymentWebhook): Pick<SignedWebhook, "verify" | "eventOf"> {
  return { verify, eventOf: (body, headers) => storedEvent(body, (event) => signalOf(event, headers)) };
}
