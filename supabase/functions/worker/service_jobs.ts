import type { Json } from "shared/db/database.types.ts";
import type { ServiceRpc } from "shared/db/service_rpc.ts";
import { guardedFetch } from "shared/http/guarded_fetch.ts";
import type { ClaimedSource, Outcome, Settled } from "shared/worker/source.ts";
import { eachOnItsOwn } from "./each_on_its_own.ts";
import { postServiceJob, type ServiceJob, type ServiceJobAttempt } from "./post_service_job.ts";

/** A row of `claim_service_jobs()`. */
type Claim = Omit<ServiceJob, "url"> & { url: string | null };

const CONCURRENCY = 20;
/** Longer than SQL lets a service take. */
const TIMEOUT_MS = 30_000;

/** Background jobs that registered services do: posted, signed, at least once each; SQL hears what was answered and decides what follows. */
export function serviceJobs(call: ServiceRpc): ClaimedSource<Claim> {
  return {
    name: "service_jobs",
    concurrency: CONCURRENCY,
    timeoutMs: TIMEOUT_MS,
    async claim(max_count, lease_seconds) {
      return await call("claim_service_jobs", { max_count, lease_seconds }) as unknown as Claim[];
    },
    handle,
    complete: (settled) => report(call, settled, ({ result }) => result as ServiceJobAttempt),
    fail: (settled) => report(call, settled, ({ error }) => attemptOf(error)),
    release: (settled) =>
      eachOnItsOwn(settled, async ({ item }) => {
        await call("release_job", { job_id: item.id, lease_token: item.lease_token });
      }),
  };
}

/** What has begun is not broken off: the service may act on half an exchange, and would then see it all again. */
async function handle(claim: Claim, signal: AbortSignal): Promise<Outcome> {
  const { url } = claim;
  if (signal.aborted || url === null) return { kind: "released" };
  const attempt = await postServiceJob(guardedFetch, { ...claim, url });
  const isDone = attempt.status !== null && attempt.status >= 200 && attempt.status <= 299;
  return isDone ? { kind: "done", result: attempt } : { kind: "failed", error: attempt };
}

async function report(
  call: ServiceRpc,
  settled: Settled<Claim>[],
  attempt: (settled: Settled<Claim>) => Partial<ServiceJobAttempt>,
): Promise<number> {
  const reports = settled.map((each) => ({
    job_id: each.item.id,
    lease_token: each.item.lease_token,
    ...attempt(each),
  }));
  return (await call("report_service_jobs", { reports: reports as Json })).length;
}

/** What came of the POST, or that the handler itself failed or was given up. */
function attemptOf(error: unknown): Partial<ServiceJobAttempt> {
  return error instanceof Error ? { error: error.name } : error as ServiceJobAttempt;
}
