import type { Json } from "shared/db/database.types.ts";
import type { ServiceRpc } from "shared/db/service_rpc.ts";
import { guardedFetch } from "shared/http/guarded_fetch.ts";
import { postWebhook, type Webhook, WEBHOOK_TIMEOUT_MS, type WebhookAttempt } from "shared/webhooks/post_webhook.ts";
import type { ClaimedSource, Outcome, Settled } from "shared/worker/source.ts";

/** A row of `claim_webhook_deliveries()`: what is never null in it, which generated types do not know. */
type Claim = Webhook & { id: string; lease_token: number };

/** POSTs at once in one run. An endpoint that is slow or fails has one of them, so many more fail before others wait. */
const CONCURRENCY = 40;

/** How long an endpoint may take to answer. */
export interface WebhookOptions {
  timeoutMs?: number;
}

/** Events of payments for endpoints outside: posted, signed, at least once each; SQL hears what was answered and decides what follows. */
export function webhooks(
  call: ServiceRpc,
  { timeoutMs = WEBHOOK_TIMEOUT_MS }: WebhookOptions = {},
): ClaimedSource<Claim> {
  return {
    name: "webhooks",
    concurrency: CONCURRENCY,
    timeoutMs: timeoutMs + 5_000,
    async claim(max_count, lease_seconds) {
      return await call("claim_webhook_deliveries", { max_count, lease_seconds }) as unknown as Claim[];
    },
    handle: (claim, signal) => handle(claim, signal, timeoutMs),
    complete: (settled) => report(call, settled, ({ result }) => result as WebhookAttempt),
    fail: (settled) => report(call, settled, ({ error }) => attemptOf(error)),
    release: (settled) => release(call, settled),
  };
}

/** What has begun is not broken off: the receiver may act on half an exchange, and would then see it all again. */
async function handle(claim: Claim, signal: AbortSignal, timeoutMs: number): Promise<Outcome> {
  if (signal.aborted) return { kind: "released" };
  const attempt = await postWebhook(guardedFetch, claim, timeoutMs);
  const isDelivered = attempt.status !== null && attempt.status >= 200 && attempt.status <= 299;
  return isDelivered ? { kind: "done", result: attempt } : { kind: "failed", error: attempt };
}

async function report(
  call: ServiceRpc,
  settled: Settled<Claim>[],
  attempt: (settled: Settled<Claim>) => Partial<WebhookAttempt>,
): Promise<number> {
  const attempts = settled.map((each) => ({
    delivery_id: each.item.id,
    lease_token: each.item.lease_token,
    ...attempt(each),
  }));
  return (await call("report_webhook_attempts", { attempts: attempts as Json })).length;
}

async function release(call: ServiceRpc, settled: Settled<Claim>[]): Promise<number> {
  const released = await call("release_webhook_deliveries", {
    delivery_ids: settled.map(({ item }) => item.id),
    lease_tokens: settled.map(({ item }) => item.lease_token),
  });
  return released.length;
}

/** What came of the POST, or that the handler itself failed or was given up. */
function attemptOf(error: unknown): Partial<WebhookAttempt> {
  return error instanceof Error ? { error: error.name } : error as WebhookAttempt;
}
