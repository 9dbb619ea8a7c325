import { setting, settings } from "../../env.ts";
import type { OutboundFetch } from "../../outbound_fetch.ts";

/** A product of MTN's that we subscribe to; each has a key and a user of its own. */
export interface MomoProduct {
  /** As it stands in the path. */
  name: "collection" | "disbursement";
  subscriptionKey: string;
  apiUser: string;
  apiKey: string;
}

/** MTN's MoMo API as we reach it. */
export interface MomoApi {
  url: string;
  /** `sandbox` or `mtnrwanda`. */
  environment: string;
  collection: MomoProduct;
  /** Payouts and refunds; null where money only comes in. */
  disbursement: MomoProduct | null;
  /** Where MTN reports what became of a request; null leaves it to our look-ups. */
  callback: { url: string; secrets: readonly string[] } | null;
  fetch: OutboundFetch;
}

const SANDBOX = "https://sandbox.momodeveloper.mtn.com";
const PRODUCTION = "https://proxy.momoapi.mtn.com";

/**
 * MTN's API of the settings.
 *
 * @throws not_configured (503) when what collecting money takes is not set, or half of what disbursing it takes
 */
export function momoApi(fetch: OutboundFetch): MomoApi {
  const environment = setting("MTN_MOMO_TARGET_ENVIRONMENT");
  return {
    url: setting("MTN_MOMO_API_URL", environment === "sandbox" ? SANDBOX : PRODUCTION).replace(/\/+$/, ""),
    environment,
    collection: {
      name: "collection",
      subscriptionKey: setting("MTN_MOMO_COLLECTION_SUBSCRIPTION_KEY"),
      apiUser: setting("MTN_MOMO_COLLECTION_API_USER"),
      apiKey: setting("MTN_MOMO_COLLECTION_API_KEY"),
    },
    disbursement: disbursement(),
    callback: callback(),
    fetch,
  };
}

function disbursement(): MomoProduct | null {
  const subscriptionKey = setting("MTN_MOMO_DISBURSEMENT_SUBSCRIPTION_KEY", null);
  return subscriptionKey === null ? null : {
    name: "disbursement",
    subscriptionKey,
    apiUser: setting("MTN_MOMO_DISBURSEMENT_API_USER"),
    apiKey: setting("MTN_MOMO_DISBURSEMENT_API_KEY"),
  };
}

function callback(): MomoApi["callback"] {
  const url = setting("MTN_MOMO_CALLBACK_URL", null);
  return url === null ? null : { url: url.replace(/\/+$/, ""), secrets: settings("MTN_MOMO_CALLBACK_SECRETS") };
}
