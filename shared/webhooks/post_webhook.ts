import { failureOfFetch } from "../fetch_failure.ts";
import type { OutboundFetch } from "../outbound_fetch.ts";
import { retryAfterSeconds } from "../retry_after.ts";
import { webhookHeaders } from "./webhook_headers.ts";

/** An event, and where it goes. */
export interface Webhook {
  url: string;
  /** `whsec_` and base64, the newest first. */
  secrets: string[];
  event_id: string;
  event_type: string;
  /** ISO 8601. */
  occurred_at: string;
  data: unknown;
}

/** What came of one POST, as SQL is told; what it means is decided there. */
export interface WebhookAttempt {
  /** Of the answer; null if none came. */
  status: number | null;
  /** Why none came. */
  error: string | null;
  /** How the answer's body begins. */
  answer: string | null;
  duration_ms: number;
  /** Seconds that the answer asks us to wait. */
  retry_after: number | null;
}

/** Standard Webhooks asks for 15 to 30 s. */
export const WEBHOOK_TIMEOUT_MS = 15_000;
/** Of an answer's body, what is kept. */
const ANSWER_BYTES = 1_000;
// deno-lint-ignore no-control-regex -- Postgres stores no NUL
const NUL = /\x00/g;

/**
 * Posts an event once, signed by each secret. An answer with any status is an attempt like one without: this does not throw.
 *
 * @see Standard Webhooks 1.0.0, "Webhook headers", "Deliverability and reliability"
 */
export async function postWebhook(
  fetch: OutboundFetch,
  webhook: Webhook,
  timeoutMs = WEBHOOK_TIMEOUT_MS,
): Promise<WebhookAttempt> {
  const startedAt = performance.now();
  const result = await post(fetch, webhook, timeoutMs);
  return { ...result, duration_ms: Math.round(performance.now() - startedAt) };
}

async function post(
  fetch: OutboundFetch,
  webhook: Webhook,
  timeoutMs: number,
): Promise<Omit<WebhookAttempt, "duration_ms">> {
  const body = bodyOf(webhook);
  const headers = {
    ...await webhookHeaders({ id: webhook.event_id, sentAt: new Date(), body }, webhook.secrets),
    "content-type": "application/json",
    "user-agent": "EasyMO-Webhooks/1",
  };
  try {
    const answer = await fetch(new URL(webhook.url), {
      method: "POST",
      headers,
      body,
      timeoutMs,
      maxBytes: ANSWER_BYTES,
      overflow: "cut",
    });
    const retry_after = retryAfterSeconds(answer.headers.get("retry-after"), new Date());
    return { status: answer.status, error: null, answer: (await answer.text()).replace(NUL, ""), retry_after };
  } catch (thrown) {
    return { status: null, error: failureOfFetch(thrown).reason, answer: null, retry_after: null };
  }
}

function bodyOf({ event_type, occurred_at, data }: Webhook): string {
  return JSON.stringify({ type: event_type, timestamp: new Date(occurred_at).toISOString(), data });
}
