/** The platform takes 100 log events in 10 s and loses the rest unseen (Supabase, Edge Functions: Limits). */
const BURST = 50;
const PER_SECOND = 5;

/** Chooses which lines are written when there are too many: never more than 100 in 10 s, unless all of them matter. */
export class LogSampling {
  #budget = BURST;
  #refilledAt = 0;
  #leftOut = 0;

  /**
   * Decides about one line.
   *
   * @param now - milliseconds of a clock that does not go back
   * @param matters - whether the line is written in any case
   * @returns how many lines were left out since the last one that was written, or null when this one is left out too
   */
  admit(now: number, matters: boolean): number | null {
    this.#budget = Math.min(BURST, this.#budget + (now - this.#refilledAt) / 1_000 * PER_SECOND);
    this.#refilledAt = now;
    if (this.#budget < 1 && !matters) {
      this.#leftOut++;
      return null;
    }
    this.#budget = Math.max(0, this.#budget - 1);
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return leftOut;
  }
}
