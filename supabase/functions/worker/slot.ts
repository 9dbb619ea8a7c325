import type { ServiceRpc } from "shared/db/service_rpc.ts";
import { log } from "shared/log.ts";
import { Problem } from "shared/problem.ts";
import type { RunReport } from "shared/worker/drain.ts";

/** Short, so that a killed run's slot is soon another's. */
const LEASE_SECONDS = 15;
const EXTEND_EVERY_MS = 5_000;

/** The right to be one of the few runs that go on at the same moment. */
export interface Slot {
  runId: string;
  /** Holds the slot while the work goes on, then gives it back with what was done. */
  during(work: Promise<RunReport>): Promise<RunReport>;
}

/**
 * Takes a slot.
 *
 * @param onLost - called when it is another's, because it could not be extended in time
 * @returns null when all are taken
 */
export async function takeSlot(call: ServiceRpc, onLost: () => void): Promise<Slot | null> {
  const runId = await call("begin_worker_run", { lease_seconds: LEASE_SECONDS });
  if (!runId) return null;
  return {
    runId,
    async during(work) {
      const timer = setInterval(() => extend(call, runId, onLost).catch(warn), EXTEND_EVERY_MS);
      const report = await work.finally(() => clearInterval(timer));
      await call("end_worker_run", { run_id: runId, report, has_more: report.more }).catch(warn);
      return report;
    },
  };
}

async function extend(call: ServiceRpc, runId: string, onLost: () => void): Promise<void> {
  const isHeld = await call("extend_worker_run", { run_id: runId, lease_seconds: LEASE_SECONDS });
  if (!isHeld) onLost();
}

/** Not worth a failed run: the lease is longer than a pause, and ends by itself. */
function warn(error: unknown): void {
  log("worker.slot", { code: error instanceof Problem ? error.code : "internal_error" }, "warn");
}
