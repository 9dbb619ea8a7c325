import * as z from "zod";
import { setting, settings } from "../../env.ts";
import type { OutboundFetch } from "../../outbound_fetch.ts";
import { answered, inDoubt, unheard } from "../answered.ts";
import { checkoutPage } from "../checkout_page.ts";
import type { PaymentAttempt, PaymentProvider, ProviderAnswer } from "../payment_provider.ts";
import type { PaymentSignalStatus } from "../payment_signal.ts";
import { callProvider } from "../provider_call.ts";
import { fromPaystackAmount } from "./paystack_amount.ts";

/** Paystack's API as we reach it. */
export interface PaystackApi {
  url: string;
  secretKey: string;
  fetch: OutboundFetch;
}

const Verified = z.object({
  status: z.literal(true),
  data: z.object({
    id: z.union([z.int(), z.string()]).transform(String),
    reference: z.string(),
    status: z.string(),
    amount: z.int(),
    currency: z.string().toUpperCase(),
    paid_at: z.iso.datetime({ offset: true }).nullable().catch(null),
  }),
});

/** An abandoned page may be taken up again; what was reversed was paid first, and its reversal has an event of its own. */
const STATUSES: Record<string, PaymentSignalStatus> = {
  success: "succeeded",
  failed: "failed",
  abandoned: "processing",
  ongoing: "processing",
  pending: "processing",
  processing: "processing",
  queued: "processing",
};

/**
 * Paystack's API of the settings; the first key is the one in force.
 *
 * @throws not_configured (503) without a key
 */
export function paystackApi(fetch: OutboundFetch): PaystackApi {
  return {
    url: setting("PAYSTACK_API_URL", "https://api.paystack.co").replace(/\/+$/, ""),
    secretKey: settings("PAYSTACK_SECRET_KEYS")[0]!,
    fetch,
  };
}

/** Paystack, whose signed webhooks tell what was paid; this look-up makes up for those that get lost. */
export function paystack(api: PaystackApi): PaymentProvider {
  return checkoutPage((attempt) => verify(api, attempt));
}

/** @see Paystack: "Verify transaction" */
async function verify(api: PaystackApi, attempt: PaymentAttempt): Promise<ProviderAnswer> {
  const answer = await callProvider(api.fetch, {
    method: "GET",
    url: `${api.url}/transaction/verify/${attempt.id}`,
    headers: { authorization: `Bearer ${api.secretKey}` },
  });
  if (answer.kind !== "heard") return unheard(attempt, answer);
  // Nobody has begun to pay under our reference.
  if (answer.status === 400 || answer.status === 404) return answered(attempt, { status: "processing" });
  const { data } = Verified.safeParse(answer.json);
  if (!data || answer.status !== 200 || data.data.reference !== attempt.id) return inDoubt(attempt);
  const { id, status, amount, currency, paid_at } = data.data;
  const standing = STATUSES[status] ?? "unknown";
  return answered(attempt, {
    status: standing,
    provider_id: id,
    amount: fromPaystackAmount(amount, currency),
    currency,
    occurred_at: paid_at,
    failure_code: standing === "failed" ? "rejected" : null,
  });
}
