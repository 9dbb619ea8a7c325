import { log } from "shared/log.ts";
import type { RunReport } from "shared/worker/drain.ts";

const COUNTS = ["done", "failed", "released", "lost", "left"] as const;

/** Writes one line about a run that did something, or could not. */
export function logReport({ ended, elapsed_ms, cpu_ms, more, sources }: RunReport): void {
  const reports = Object.entries(sources);
  const counts = COUNTS.map((count) => [count, reports.reduce((sum, [, report]) => sum + report[count], 0)] as const);
  const errors = reports.flatMap(([name, { error }]) => error ? [`${name}: ${error}`] : []).join(", ");
  const hasFailed = errors !== "";
  if (!hasFailed && counts.every(([, count]) => count === 0)) return;
  log(
    "worker.run",
    { ended, elapsed_ms, cpu_ms, more, ...Object.fromEntries(counts), errors },
    hasFailed ? "warn" : "info",
  );
}
