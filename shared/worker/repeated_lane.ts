import { Lane, type RunContext } from "./lane.ts";
import type { RepeatedSource } from "./source.ts";

/** A source may pass over much that is nobody's work; one that goes on so without end would keep the run busy. */
const MAX_IDLE_TURNS = 20;

/** A source that does its own work, in one run. */
export class RepeatedLane extends Lane {
  readonly hasRoom = true;
  #idleTurns = 0;

  constructor(readonly source: RepeatedSource, run: RunContext) {
    super(source.name, run);
  }

  protected async take(): Promise<boolean> {
    const { done, failed, more } = await this.run.cpu.measure(() => this.source.turn());
    this.report.done += done;
    this.report.failed += failed;
    if (done > 0) this.run.onWork(this);
    this.#idleTurns = done + failed > 0 ? 0 : this.#idleTurns + 1;
    return more && this.#idleTurns < MAX_IDLE_TURNS;
  }
}
