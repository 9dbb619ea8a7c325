import { type Budget, exhausted } from "./budget.ts";
import { ClaimedLane } from "./claimed_lane.ts";
import type { Clock } from "./clock.ts";
import { CpuMeter } from "./cpu_meter.ts";
import { type Lane, REST_MS, type RunContext, type SourceReport } from "./lane.ts";
import { nextTurn } from "./next_turn.ts";
import { RepeatedLane } from "./repeated_lane.ts";
import type { ClaimedSource, RepeatedSource } from "./source.ts";

/** Whatever holds work. */
export type Source = RepeatedSource | ClaimedSource<unknown>;

/** Why a run ended: nothing is due, the budget is used up, or it was told to. */
export type EndReason = "empty" | "time" | "cpu" | "stopped";

/** How far a run goes. */
export interface DrainOptions {
  clock: Clock;
  budget: Budget;
  /** Tells the run to end within a second. */
  signal: AbortSignal;
  /** Whether to look at every source once more, after the time in which whoever makes work wakes nobody. */
  lingers: boolean;
}

/** What a run did. */
export type RunReport = {
  ended: EndReason;
  elapsed_ms: number;
  /** A guess. */
  cpu_ms: number;
  /** Whether more is due, as far as is known. */
  more: boolean;
  sources: Record<string, SourceReport>;
};

/** Looks at the same moment. */
const MAX_LOOKS = 3;
/** How long handlers may take to answer that the run ends. */
const GRACE_MS = 700;

/**
 * Works on what is due until nothing is, the budget is used up, or it is told to end. A claimed item gets its full time
 * beyond the budget. Any number of runs may work on the same sources.
 */
export async function drain(sources: readonly Source[], options: DrainOptions): Promise<RunReport> {
  const run = new Run(sources, options);
  const ended = await run.work();
  await run.finish();
  return run.report(ended);
}

class Run {
  readonly #options: DrainOptions;
  readonly #startedAt: number;
  readonly #cpu: CpuMeter;
  readonly #lanes: Lane[];
  #change = Promise.withResolvers<void>();

  constructor(sources: readonly Source[], options: DrainOptions) {
    const { clock, signal } = options;
    this.#options = options;
    this.#startedAt = clock.now();
    this.#cpu = new CpuMeter(clock);
    const context: RunContext = {
      clock,
      cpu: this.#cpu,
      signal,
      onChange: () => this.#changed(),
      onWork: (worker) => this.#lanes.filter((lane) => lane !== worker).forEach((lane) => lane.stir()),
    };
    this.#lanes = sources.map((source) =>
      "turn" in source ? new RepeatedLane(source, context) : new ClaimedLane(source, context)
    );
    signal.addEventListener("abort", () => this.#changed());
  }

  /** Gives turns until there is a reason to end. */
  async work(): Promise<EndReason> {
    const { clock, budget, lingers } = this.#options;
    const lastLookFrom = this.#startedAt + (lingers ? REST_MS : 0);
    for (;;) {
      const reason = this.#options.signal.aborted ? "stopped" : exhausted(budget, this.#spent());
      if (reason) return reason;
      const decision = nextTurn(this.#lanes, { now: clock.now(), maxLooks: MAX_LOOKS, lastLookFrom });
      if (decision === "end") return "empty";
      if ("look" in decision) this.#lanes[decision.look]!.look();
      else await this.#untilChange(Math.min(decision.waitUntil, this.#startedAt + budget.wallMs));
    }
  }

  /** Waits for what is under way; when the run is told to end, only for a moment. */
  async finish(): Promise<void> {
    const { signal, clock } = this.#options;
    let givesUpAt = Infinity;
    while (this.#lanes.some((lane) => lane.isLooking || lane.inFlight > 0) && clock.now() < givesUpAt) {
      if (signal.aborted) givesUpAt = Math.min(givesUpAt, clock.now() + GRACE_MS);
      await this.#untilChange(givesUpAt);
    }
  }

  report(ended: EndReason): RunReport {
    const { wallMs, cpuMs } = this.#spent();
    const sources = this.#lanes.map(({ name, report, inFlight }): [string, SourceReport] => [
      name,
      { ...report, left: report.left + inFlight },
    ]);
    return {
      ended,
      elapsed_ms: Math.round(wallMs),
      cpu_ms: Math.round(cpuMs),
      more: this.#lanes.some(({ report, hasFailed }) => report.more && !hasFailed),
      sources: Object.fromEntries(sources),
    };
  }

  #spent(): Budget {
    return { wallMs: this.#options.clock.now() - this.#startedAt, cpuMs: this.#cpu.spentMs };
  }

  async #untilChange(time: number): Promise<void> {
    const { clock } = this.#options;
    const over = new AbortController();
    const sleep = time === Infinity ? [] : [clock.sleep(Math.max(0, time - clock.now()), over.signal)];
    await Promise.race([this.#change.promise, ...sleep]);
    over.abort();
  }

  #changed(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}
