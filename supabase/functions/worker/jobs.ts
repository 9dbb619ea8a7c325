import type { ServiceRpc } from "shared/db/service_rpc.ts";
import type { ClaimedSource } from "shared/worker/source.ts";
import { eachOnItsOwn } from "./each_on_its_own.ts";

/** A background job that was claimed; SQL runs its handler. */
interface Claim {
  id: string;
  lease_token: number;
  correlation_id: string | null;
}

/** Each holds one of the database's connections for as long as its handler takes. */
const CONCURRENCY = 2;
/** Longer than the statement_timeout of `run_job()` would let a handler run. */
const TIMEOUT_MS = 66_000;

/**
 * Background jobs whose handlers are SQL functions: one call a job, in which the effect and the job's end commit
 * together, so there is nothing left to complete.
 */
export function jobs(call: ServiceRpc): ClaimedSource<Claim> {
  return {
    name: "jobs",
    concurrency: CONCURRENCY,
    timeoutMs: TIMEOUT_MS,
    async claim(maxCount, leaseSeconds) {
      return await call("claim_jobs", { max_count: maxCount, lease_seconds: leaseSeconds }) as unknown as Claim[];
    },
    async handle({ id, lease_token, correlation_id }, signal) {
      if (signal.aborted) return { kind: "released" };
      const options = { deadlineMs: TIMEOUT_MS, ...(correlation_id !== null && { correlationId: correlation_id }) };
      const state = await call("run_job", { job_id: id, lease_token }, options);
      return state === "succeeded" ? { kind: "done" } : { kind: "failed", error: state };
    },
    complete: (settled) => Promise.resolve(settled.length),
    fail: (settled) => Promise.resolve(settled.length),
    release: (settled) =>
      eachOnItsOwn(settled, async ({ item }) => {
        await call("release_job", { job_id: item.id, lease_token: item.lease_token });
      }),
  };
}
