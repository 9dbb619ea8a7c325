import { beforeIsolateEnds, inBackground } from "shared/background.ts";
import type { FlagEvaluation } from "shared/flags/evaluate_flag.ts";
import { log } from "shared/log.ts";

const INTERVAL_MS = 10_000;
const HOUR_MS = 3_600_000;

/** An element of what `record_flag_evaluations` takes. */
export interface EvaluationCount {
  flag_key: string;
  reason: string;
  variant?: string;
  count: number;
  hour: string;
}

/**
 * Counts evaluations in this isolate and tells the database beside the requests, at most every 10 s and when the isolate
 * ends. A batch that cannot be stored is dropped: nobody knows whether it was.
 */
export class EvaluationCounts {
  /** By environment, hour in epoch milliseconds, and outcome. */
  #counts = new Map<string, Map<number, Map<FlagEvaluation, { count: number }>>>();
  #nextAt = 0;

  /** @param send - stores the counts of an environment, or throws */
  constructor(readonly send: (environment: string, counts: EvaluationCount[]) => Promise<unknown>) {
    beforeIsolateEnds(() => this.flush());
  }

  /**
   * Counts what was served. What no flag has is not counted: strangers could invent any number of keys.
   *
   * @param evaluations - the same outcome as the same object, as `evaluateFlag()` gives them
   */
  add(environment: string, evaluations: FlagEvaluation[], now = Date.now()): void {
    const counts = this.#countsOf(environment, now - now % HOUR_MS);
    for (const evaluation of evaluations) {
      if ("errorCode" in evaluation && evaluation.errorCode === "FLAG_NOT_FOUND") continue;
      const counted = counts.get(evaluation);
      if (counted) counted.count++;
      else counts.set(evaluation, { count: 1 });
    }
    if (now < this.#nextAt) return;
    this.#nextAt = now + INTERVAL_MS;
    inBackground(() => this.flush());
  }

  #countsOf(environment: string, hour: number): Map<FlagEvaluation, { count: number }> {
    let hours = this.#counts.get(environment);
    if (!hours) this.#counts.set(environment, hours = new Map());
    let counts = hours.get(hour);
    if (!counts) hours.set(hour, counts = new Map());
    return counts;
  }

  /** Tells what was counted since the last time. */
  async flush(): Promise<void> {
    const taken = this.#counts;
    this.#counts = new Map();
    for (const [environment, hours] of taken) {
      const counts = rowsOf(hours);
      try {
        await this.send(environment, counts);
      } catch {
        log("flags.counts_dropped", { environment, rows: counts.length }, "warn");
      }
    }
  }
}

/** One row per flag, reason, variant and hour: rules and revisions that say the same are added up. */
function rowsOf(hours: Map<number, Map<FlagEvaluation, { count: number }>>): EvaluationCount[] {
  const rows = new Map<string, EvaluationCount>();
  for (const [hour, counts] of hours) {
    for (const [evaluation, { count }] of counts) {
      const row = { ...nameOf(evaluation), count, hour: new Date(hour).toISOString() };
      const id = JSON.stringify({ ...row, count: undefined });
      const known = rows.get(id);
      if (known) known.count += count;
      else rows.set(id, row);
    }
  }
  return [...rows.values()];
}

function nameOf(evaluation: FlagEvaluation): Pick<EvaluationCount, "flag_key" | "reason" | "variant"> {
  const { key: flag_key } = evaluation;
  if ("errorCode" in evaluation) return { flag_key, reason: "ERROR" };
  const { reason, variant } = evaluation;
  return { flag_key, reason, ...(variant === undefined ? {} : { variant }) };
}
