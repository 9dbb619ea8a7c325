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
  /** By environment and flag. */
  #counts = new Map<string, Map<string, EvaluationCount[]>>();
  #nextAt = 0;

  /** @param send - stores the counts of an environment, or throws */
  constructor(readonly send: (environment: string, counts: EvaluationCount[]) => Promise<unknown>) {
    beforeIsolateEnds(() => this.flush());
  }

  /** Counts what was served. What no flag has is not counted: strangers could invent any number of keys. */
  add(environment: string, evaluations: FlagEvaluation[], now = Date.now()): void {
    let counts = this.#counts.get(environment);
    if (!counts) this.#counts.set(environment, counts = new Map());
    const hour = new Date(now - now % HOUR_MS).toISOString();
    for (const evaluation of evaluations) count(counts, evaluation, hour);
    if (now < this.#nextAt) return;
    this.#nextAt = now + INTERVAL_MS;
    inBackground(() => this.flush());
  }

  /** Tells what was counted since the last time. */
  async flush(): Promise<void> {
    const taken = this.#counts;
    this.#counts = new Map();
    for (const [environment, byFlag] of taken) {
      const counts = [...byFlag.values()].flat();
      try {
        await this.send(environment, counts);
      } catch {
        log("flags.counts_dropped", { environment, rows: counts.length }, "warn");
      }
    }
  }
}

function count(byFlag: Map<string, EvaluationCount[]>, evaluation: FlagEvaluation, hour: string): void {
  if ("errorCode" in evaluation && evaluation.errorCode === "FLAG_NOT_FOUND") return;
  const reason = "reason" in evaluation ? evaluation.reason : "ERROR";
  const variant = "variant" in evaluation ? evaluation.variant : undefined;
  let counts = byFlag.get(evaluation.key);
  if (!counts) byFlag.set(evaluation.key, counts = []);
  const known = counts.find((count) => count.reason === reason && count.variant === variant && count.hour === hour);
  if (known) known.count++;
  else counts.push({ flag_key: evaluation.key, reason, ...(variant === undefined ? {} : { variant }), count: 1, hour });
}
