import type { Bytes } from "shared/bytes.ts";
import { failureOfFetch } from "shared/fetch_failure.ts";
import type { OutboundFetch } from "shared/outbound_fetch.ts";
import { parseJson } from "shared/http/parse_json.ts";
import { retryAfterSeconds } from "shared/retry_after.ts";
import { traceparentOf } from "shared/trace.ts";
import { webhookHeaders } from "shared/webhooks/webhook_headers.ts";

/** A job, and which instance of a service does it. */
export interface ServiceJob {
  id: string;
  lease_token: number;
  job_type: string;
  job_name: string;
  payload: unknown;
  attempt_count: number;
  /** ISO 8601. */
  scheduled_at: string;
  correlation_id: string | null;
  url: string;
  /** `whsec_` and base64, the newest first. */
  secrets: string[];
  timeout_ms: number;
}

/** What came of one POST, as SQL is told; what it means is decided there. */
export interface ServiceJobAttempt {
  /** Of the answer; null if none came. */
  status: number | null;
  /** Why none came. */
  error: string | null;
  /** How the answer's body begins. */
  answer: string | null;
  /** The answer's body, if it is JSON of 64 KiB at most. */
  result: unknown;
  /** Seconds that the answer asks us to wait. */
  retry_after: number | null;
}

const ANSWER_BYTES = 64 * 1024;
const MAX_DEPTH = 64;
// deno-lint-ignore no-control-regex -- Postgres stores no NUL
const NUL = /\x00/g;

/**
 * Posts a job once, signed by each of the service's secrets. An answer with any status is an attempt like one without:
 * this does not throw.
 *
 * @see Standard Webhooks 1.0.0, "Webhook headers": `webhook-id` is the job and the attempt
 */
export async function postServiceJob(fetch: OutboundFetch, job: ServiceJob): Promise<ServiceJobAttempt> {
  const body = bodyOf(job);
  try {
    const answer = await fetch(new URL(job.url), {
      method: "POST",
      headers: await headersOf(job, body),
      body,
      timeoutMs: job.timeout_ms,
      maxBytes: ANSWER_BYTES,
      overflow: "cut",
    });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return {
      status: answer.status,
      error: null,
      answer: new TextDecoder().decode(bytes.slice(0, 500)).replace(NUL, ""),
      result: answer.ok ? storableJson(bytes) : null,
      retry_after: retryAfterSeconds(answer.headers.get("retry-after"), new Date()),
    };
  } catch (thrown) {
    return { status: null, error: failureOfFetch(thrown).reason, answer: null, result: null, retry_after: null };
  }
}

async function headersOf(job: ServiceJob, body: string): Promise<Record<string, string>> {
  const id = `${job.id}:${job.attempt_count}`;
  return {
    ...await webhookHeaders({ id, sentAt: new Date(), body }, job.secrets),
    ...(job.correlation_id === null ? {} : { "x-correlation-id": job.correlation_id }),
    "content-type": "application/json",
    "idempotency-key": id,
    "traceparent": traceparentOf(job.correlation_id ?? job.id),
    "user-agent": "EasyMO-Jobs/1",
  };
}

function bodyOf({ id, lease_token, job_type, job_name, payload, attempt_count, scheduled_at }: ServiceJob): string {
  return JSON.stringify({ job_id: id, lease_token, job_type, job_name, attempt_count, scheduled_at, payload });
}

/** What the service gives back, or null: nothing that no column can hold, and nothing that was cut. */
function storableJson(bytes: Bytes): unknown {
  try {
    return parseJson(bytes, { maxDepth: MAX_DEPTH });
  } catch {
    return null;
  }
}
