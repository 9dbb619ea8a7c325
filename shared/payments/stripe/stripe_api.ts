import { setting } from "../../env.ts";
import type { OutboundFetch } from "../../outbound_fetch.ts";
import { callProvider, type Heard, type NotHeard } from "../provider_call.ts";

/** Stripe's API as we reach it. */
export interface StripeApi {
  url: string;
  secretKey: string;
  fetch: OutboundFetch;
}

/** A nested form, as Stripe reads it: `{metadata: {a: "1"}}` is `metadata[a]=1`. */
export type StripeFields = Record<string, string | number | Record<string, string>>;

/** What a call asks for. */
export type StripeCall =
  | { method: "GET"; path: string; fields?: StripeFields }
  | { method: "POST"; path: string; fields: StripeFields; idempotencyKey: string };

/** Answers keep this shape until we choose another. */
const VERSION = "2025-09-30.clover";

/**
 * Stripe's API of the settings.
 *
 * @throws not_configured (503) without a key
 */
export function stripeApi(fetch: OutboundFetch): StripeApi {
  return {
    url: setting("STRIPE_API_URL", "https://api.stripe.com").replace(/\/+$/, ""),
    secretKey: setting("STRIPE_SECRET_KEY"),
    fetch,
  };
}

/** Calls Stripe. A POST that is repeated with its key within a day gets the first one's answer and does nothing. */
export async function callStripe(api: StripeApi, call: StripeCall): Promise<Heard | NotHeard> {
  const form = formOf(call.fields ?? {});
  const headers = { authorization: `Bearer ${api.secretKey}`, "stripe-version": VERSION };
  const url = `${api.url}/v1/${call.path}`;
  if (call.method === "GET") return await callProvider(api.fetch, { method: "GET", url: `${url}?${form}`, headers });
  return await callProvider(api.fetch, {
    method: "POST",
    url,
    headers: { ...headers, "idempotency-key": call.idempotencyKey },
    body: form,
    type: "application/x-www-form-urlencoded",
  });
}

function formOf(fields: StripeFields): string {
  const pairs = Object.entries(fields).flatMap(([name, value]) =>
    typeof value === "object"
      ? Object.entries(value).map(([key, inner]) => [`${name}[${key}]`, inner])
      : [[name, String(value)]]
  );
  return new URLSearchParams(pairs as [string, string][]).toString();
}
