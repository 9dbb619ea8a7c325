import type { ServiceRpc } from "shared/db/service_rpc.ts";
import { guardedFetch } from "shared/http/guarded_fetch.ts";
import { log } from "shared/log.ts";
import { providers } from "shared/payments/configured_providers.ts";
import type { ProviderAnswer } from "shared/payments/payment_provider.ts";
import type { ClaimedSource, Outcome, Settled } from "shared/worker/source.ts";
import { eachOnItsOwn } from "./each_on_its_own.ts";
import { paymentAnswer, type PaymentClaim } from "./payment_answer.ts";

type Answered = Extract<ProviderAnswer, { kind: "answered" }>;

/** Calls at the same moment, in one run; MTN's gateway takes as many without a word. */
const CONCURRENCY = 10;
/** A look-up and a request, each with a token to be had before. */
const TIMEOUT_MS = 45_000;

/**
 * Payments, refunds and payouts at their providers: what nobody has asked for yet is asked for, what is open is asked
 * about, and SQL hears what the provider said. The same request twice is one at the provider, so an attempt whose
 * worker died is simply claimed again.
 */
export function payments(call: ServiceRpc): ClaimedSource<PaymentClaim> {
  return {
    name: "payments",
    concurrency: CONCURRENCY,
    timeoutMs: TIMEOUT_MS,
    async claim(max_count, lease_seconds) {
      if (Object.keys(providers(guardedFetch)).length === 0) return [];
      return await call("claim_payment_attempts", { max_count, lease_seconds }) as unknown as PaymentClaim[];
    },
    handle,
    complete: (settled) => eachOnItsOwn(settled, (each) => record(call, each)),
    fail: (settled) => release(call, settled),
    release: (settled) => release(call, settled),
  };
}

/** Without a signal: what has begun is not broken off, because half a request may be a whole payment. */
async function handle(claim: PaymentClaim, signal: AbortSignal): Promise<Outcome> {
  const { attempt } = claim;
  const provider = providers(guardedFetch)[attempt.provider];
  if (signal.aborted || !provider) return { kind: "released" };
  const answer = await paymentAnswer(provider, claim, new Date());
  if (answer.kind === "answered") return { kind: "done", result: answer };
  const reason = answer.kind === "not_sent" ? answer.reason : answer.kind;
  log("payments.not_sent", { provider: attempt.provider, attempt_id: attempt.id, reason }, "warn");
  return { kind: "released" };
}

async function record(call: ServiceRpc, { item, result }: Settled<PaymentClaim>): Promise<void> {
  const { id, lease_token, correlation_id } = item;
  const { signal, next_action } = result as Answered;
  const about = next_action === null ? {} : { next_action };
  const trace = correlation_id === null ? {} : { correlationId: correlation_id };
  await call("record_payment_signal", { attempt_id: id, signal, lease_token, ...about }, trace);
}

/** They are due again when SQL set them so at the claim. */
async function release(call: ServiceRpc, settled: Settled<PaymentClaim>[]): Promise<number> {
  const released = await call("release_payment_attempts", {
    attempt_ids: settled.map(({ item }) => item.id),
    lease_tokens: settled.map(({ item }) => item.lease_token),
  });
  return released.length;
}
