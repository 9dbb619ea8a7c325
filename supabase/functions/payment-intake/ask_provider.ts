import type { Context } from "hono";
import { type ServiceRpc, serviceRpc } from "shared/db/service_rpc.ts";
import { log } from "shared/log.ts";
import type {
  PaymentAttempt,
  PaymentProvider,
  PaymentProviders,
  ProviderAnswer,
} from "shared/payments/payment_provider.ts";
import { Problem } from "shared/problem.ts";
import { configuredProviders } from "./available_providers.ts";
import type { Payment } from "./schema.ts";

/** Leave to call the provider, for a minute. */
interface Lease {
  attempt: PaymentAttempt;
  lease_token: number;
}

/** What `start_payment_attempt` gives: a lease, or the answer that was given before; null where nobody is to be asked. */
type Start = Lease | { answer: Payment | null };

/**
 * Makes the provider's side of a transaction that is committed: asks the provider under the attempt's id, stores what it
 * says and returns the transaction as it is then. A replay returns what the first call returned.
 *
 * Whatever fails from here on is no failure of the request: the payment exists, and the janitor finds out what became of
 * it. Only a twin of this request that is still at it is refused.
 *
 * @throws idempotency_key_in_use (409, Retry-After)
 */
export async function askProvider(
  c: Context,
  transaction: Payment,
  providers: PaymentProviders = configuredProviders(),
): Promise<Payment> {
  // The wallet needs nobody.
  if (transaction.status === "succeeded") return transaction;
  const call = serviceRpc("payment-intake", c.get("trace"));
  try {
    const start = await call("start_payment_attempt", { transaction_id: transaction.id }) as unknown as Start;
    if ("answer" in start) return start.answer ?? transaction;
    // The transaction was there before, but nobody has had this answer yet.
    c.header("idempotent-replayed", undefined);
    return await settle(call, start, providers[start.attempt.provider]) ?? transaction;
  } catch (error) {
    if (error instanceof Problem && error.code === "idempotency_key_in_use") throw error;
    log("payment.request_unfinished", { transaction_id: transaction.id, code: codeOf(error) }, "error");
    return transaction;
  }
}

/** Calls the provider and stores what it says; null when nothing reached it. */
async function settle(
  call: ServiceRpc,
  { attempt, lease_token }: Lease,
  provider: PaymentProvider | undefined,
): Promise<Payment | null> {
  const said: ProviderAnswer = provider
    ? await provider[attempt.kind](attempt)
    : { kind: "not_sent", reason: "not_configured" };
  if (said.kind === "answered") {
    const { signal, next_action } = said;
    const recorded = await call("record_payment_signal", { attempt_id: attempt.id, signal, next_action, lease_token });
    return (recorded as unknown as { transaction: Payment }).transaction;
  }
  log("payment.request_not_sent", { attempt_id: attempt.id, provider: attempt.provider, ...said }, "warn");
  await call("release_payment_attempts", { attempt_ids: [attempt.id], lease_tokens: [lease_token] });
  return null;
}

function codeOf(error: unknown): string {
  return error instanceof Problem ? error.code : String(error);
}
