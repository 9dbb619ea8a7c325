import type { Clock } from "./clock.ts";
import type { CpuMeter } from "./cpu_meter.ts";
import type { LaneState } from "./next_turn.ts";

/** What a run did for one source. */
export type SourceReport = {
  done: number;
  failed: number;
  /** Handed back untouched, because the run had to end. */
  released: number;
  /** Whose lease was another's by the time that they were settled: somebody else does them, or has. */
  lost: number;
  /** Neither settled nor handed back: they come again when their leases end. */
  left: number;
  /** Whether more is due, as far as is known. */
  more: boolean;
  /** The code of the last failure of the source itself, if it had one. */
  error?: string;
};

/** What the sources of a run share. */
export interface RunContext {
  clock: Clock;
  cpu: CpuMeter;
  /** Aborted when the run must end at once. */
  signal: AbortSignal;
  /** Called whenever something has changed that the next decision depends on. */
  onChange: () => void;
  /** Called when a source's work may have made work for the others. */
  onWork: (worker: Lane) => void;
}

/** An empty source is looked at again after so long while the run goes on. Longer than one kick silences others. */
export const REST_MS = 1_100;
/** A source that fails is left alone for so long: hammering helps nobody, and the run may have others to serve. */
const REST_AFTER_FAILURE_MS = 5_000;

/** One source in one run: where it stands and what was done. What a look does is for the two kinds of sources to say. */
export abstract class Lane implements LaneState {
  isLooking = false;
  inFlight = 0;
  lookedAt = -Infinity;
  isSpent = false;
  hasFailed = false;
  restsUntil = -Infinity;
  readonly report: SourceReport = { done: 0, failed: 0, released: 0, lost: 0, left: 0, more: true };

  #isStirred = false;

  constructor(readonly name: string, protected readonly run: RunContext) {}

  abstract readonly hasRoom: boolean;

  /** Takes what is due, within its bounds; says whether it is worth looking again at once. */
  protected abstract take(): Promise<boolean>;

  /** Takes one turn; never rejects. */
  async look(): Promise<void> {
    this.isLooking = true;
    this.lookedAt = this.run.clock.now();
    this.#isStirred = false;
    try {
      this.report.more = await this.take();
      this.hasFailed = false;
      this.isSpent = !this.report.more && !this.#isStirred;
      this.restsUntil = this.run.clock.now() + REST_MS;
    } catch (error) {
      this.noteFailure(error);
    }
    this.isLooking = false;
    this.run.onChange();
  }

  /** Lets it be looked at again at once: there may be something that the last look, or the one under way, did not see. */
  stir(): void {
    this.#isStirred = true;
    this.isSpent = this.hasFailed;
  }

  /** Leaves the source alone for a while, and says why. */
  protected noteFailure(error: unknown): void {
    this.hasFailed = true;
    this.isSpent = true;
    this.restsUntil = this.run.clock.now() + REST_AFTER_FAILURE_MS;
    this.report.error = codeOf(error);
  }
}

/** A code, never a message, which may quote what it is about. */
function codeOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return String(typeof code === "string" ? code : name ?? "unknown");
}
