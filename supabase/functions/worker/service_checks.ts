import type { Json } from "shared/db/database.types.ts";
import type { ServiceRpc } from "shared/db/service_rpc.ts";
import { failureOfFetch } from "shared/fetch_failure.ts";
import { guardedFetch } from "shared/http/guarded_fetch.ts";
import type { ClaimedSource, Outcome, Settled } from "shared/worker/source.ts";

/** A row of `claim_service_checks()`: what is never null in it, which generated types do not know. */
interface Claim {
  service_id: string;
  lease_token: number;
  url: string;
}

/** What one call of a health address found, as SQL is told; what it means is decided there. */
interface Finding {
  status: number | null;
  error: string | null;
  duration_ms?: number;
}

const CONCURRENCY = 20;
/** Of an answer's body nothing is used: the status tells. */
const ANSWER_BYTES = 1_000;

/** How long a health address may take to answer. */
export interface ServiceCheckOptions {
  timeoutMs?: number;
}

/** Calls the health addresses of registered services that are due, each for a moment only. */
export function serviceChecks(
  call: ServiceRpc,
  { timeoutMs = 3_000 }: ServiceCheckOptions = {},
): ClaimedSource<Claim> {
  return {
    name: "service_checks",
    concurrency: CONCURRENCY,
    timeoutMs: timeoutMs + 2_000,
    async claim(max_count, lease_seconds) {
      return await call("claim_service_checks", { max_count, lease_seconds }) as unknown as Claim[];
    },
    handle: (claim, signal) => handle(claim, signal, timeoutMs),
    complete: (settled) => report(call, settled, ({ result }) => result as Finding),
    fail: (settled) => report(call, settled, ({ error }) => findingOf(error)),
    release: (settled) => release(call, settled),
  };
}

/** A service that is ill is something found, not a failure of the check. */
async function handle({ url }: Claim, signal: AbortSignal, timeoutMs: number): Promise<Outcome> {
  if (signal.aborted) return { kind: "released" };
  const startedAt = performance.now();
  const found = await check(url, signal, timeoutMs);
  if (signal.aborted && found.status === null) return { kind: "released" };
  return { kind: "done", result: { ...found, duration_ms: Math.round(performance.now() - startedAt) } };
}

async function check(url: string, signal: AbortSignal, timeoutMs: number): Promise<Finding> {
  try {
    const headers = { accept: "*/*", "user-agent": "EasyMO-Health/1" };
    const init = { headers, signal, timeoutMs, maxBytes: ANSWER_BYTES, overflow: "cut" } as const;
    const { status } = await guardedFetch(url, init);
    return { status, error: null };
  } catch (thrown) {
    return { status: null, error: failureOfFetch(thrown).reason };
  }
}

async function report(
  call: ServiceRpc,
  settled: Settled<Claim>[],
  finding: (settled: Settled<Claim>) => Finding,
): Promise<number> {
  const reports = settled.map((each) => ({
    service_id: each.item.service_id,
    lease_token: each.item.lease_token,
    ...finding(each),
  }));
  return (await call("report_service_checks", { reports: reports as unknown as Json })).length;
}

async function release(call: ServiceRpc, settled: Settled<Claim>[]): Promise<number> {
  const released = await call("release_service_checks", {
    service_ids: settled.map(({ item }) => item.service_id),
    lease_tokens: settled.map(({ item }) => item.lease_token),
  });
  return released.length;
}

/** The handler itself failed or was given up. */
function findingOf(error: unknown): Finding {
  return { status: null, error: error instanceof Error ? error.name : "unknown" };
}
