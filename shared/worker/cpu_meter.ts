import type { Clock } from "./clock.ts";

/**
 * What one call costs beyond the part that can be measured, which is the part before it first waits: reading the answer,
 * and what the runtime does for a request. Whole calls were seen to cost 0.12 to 0.2 ms once warm, up to 0.5 before
 * (Deno 2.9); the platform's machines are slower, so this rather says too much.
 */
const UNSEEN_MS = 0.2;

/** Guesses how much of the platform's CPU time a run has used; the platform tells nobody. */
export class CpuMeter {
  spentMs = 0;

  constructor(readonly clock: Clock) {}

  /** Starts a piece of work and counts the time until it first waits. */
  measure<Started>(start: () => Started): Started {
    const startedAt = this.clock.now();
    try {
      return start();
    } finally {
      this.spentMs += this.clock.now() - startedAt + UNSEEN_MS;
    }
  }
}
