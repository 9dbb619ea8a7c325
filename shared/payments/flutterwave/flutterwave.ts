import * as z from "zod";
import { setting } from "../../env.ts";
import type { OutboundFetch } from "../../outbound_fetch.ts";
import { answered, inDoubt, unheard } from "../answered.ts";
import { checkoutPage } from "../checkout_page.ts";
import { minorUnits } from "../minor_units.ts";
import type { PaymentAttempt, PaymentProvider, ProviderAnswer } from "../payment_provider.ts";
import type { PaymentSignalStatus } from "../payment_signal.ts";
import { callProvider } from "../provider_call.ts";

/** Flutterwave's API as we reach it. */
export interface FlutterwaveApi {
  url: string;
  secretKey: string;
  fetch: OutboundFetch;
}

const Verified = z.object({
  status: z.literal("success"),
  data: z.object({
    id: z.union([z.int(), z.string()]).transform(String),
    tx_ref: z.string(),
    status: z.string(),
    /** In major units. */
    amount: z.union([z.number(), z.string()]),
    currency: z.string().toUpperCase(),
    created_at: z.iso.datetime({ offset: true }).nullable().catch(null),
  }),
});

const STATUSES: Record<string, PaymentSignalStatus> = {
  successful: "succeeded",
  failed: "failed",
  pending: "processing",
};

/**
 * Flutterwave's API (v3) of the settings.
 *
 * @throws not_configured (503) without a key
 */
export function flutterwaveApi(fetch: OutboundFetch): FlutterwaveApi {
  return {
    url: setting("FLUTTERWAVE_API_URL", "https://api.flutterwave.com").replace(/\/+$/, ""),
    secretKey: setting("FLUTTERWAVE_SECRET_KEY"),
    fetch,
  };
}

/** Flutterwave, whose webhooks are believed only once it has repeated them here. */
export function flutterwave(api: FlutterwaveApi): PaymentProvider {
  return checkoutPage((attempt) => verify(api, attempt));
}

/** @see Flutterwave v3: "Verify a transaction", "Verify by reference" */
async function verify(api: FlutterwaveApi, attempt: PaymentAttempt): Promise<ProviderAnswer> {
  const { id, provider_id } = attempt;
  const path = provider_id ? `${encodeURIComponent(provider_id)}/verify` : `verify_by_reference?tx_ref=${id}`;
  const answer = await callProvider(api.fetch, {
    method: "GET",
    url: `${api.url}/v3/transactions/${path}`,
    headers: { authorization: `Bearer ${api.secretKey}` },
  });
  if (answer.kind !== "heard") return unheard(attempt, answer);
  // Nobody has begun to pay under our reference.
  if (answer.status === 400 || answer.status === 404) return answered(attempt, { status: "processing" });
  const { data } = Verified.safeParse(answer.json);
  if (!data || answer.status !== 200 || data.data.tx_ref !== id) return inDoubt(attempt);
  const { status, amount, currency, created_at } = data.data;
  const standing = STATUSES[status] ?? "unknown";
  return answered(attempt, {
    status: standing,
    provider_id: data.data.id,
    amount: minorUnits(amount, currency),
    currency,
    occurred_at: created_at,
    failure_code: standing === "failed" ? "rejected" : null,
  });
}
