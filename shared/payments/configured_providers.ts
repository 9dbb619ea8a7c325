import type { OutboundFetch } from "../outbound_fetch.ts";
import { Problem } from "../problem.ts";
import { flutterwave, flutterwaveApi } from "./flutterwave/flutterwave.ts";
import { momoApi } from "./mtn_momo/momo_api.ts";
import { mtnMomo } from "./mtn_momo/mtn_momo.ts";
import type { PaymentProvider, PaymentProviders } from "./payment_provider.ts";
import { paystack, paystackApi } from "./paystack/paystack.ts";
import { stripe } from "./stripe/stripe.ts";
import { stripeApi } from "./stripe/stripe_api.ts";

/** The providers that we call; text messages and Standard Webhooks senders only call us. */
const MAKERS: Record<keyof PaymentProviders & string, ((fetch: OutboundFetch) => PaymentProvider) | undefined> = {
  mtn_momo: (fetch) => mtnMomo(momoApi(fetch)),
  stripe: (fetch) => stripe(stripeApi(fetch)),
  flutterwave: (fetch) => flutterwave(flutterwaveApi(fetch)),
  paystack: (fetch) => paystack(paystackApi(fetch)),
  momo_sms: undefined,
  standard_webhooks: undefined,
};

/** The providers whose settings are complete. Cheap: settings are read, nobody is called. */
export function providers(fetch: OutboundFetch): PaymentProviders {
  const made = Object.entries(MAKERS).map(([name, make]) => [name, make && configured(() => make(fetch))]);
  return Object.fromEntries(made.filter(([, provider]) => provider));
}

function configured(make: () => PaymentProvider): PaymentProvider | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof Problem && error.code === "not_configured") return undefined;
    throw error;
  }
}
