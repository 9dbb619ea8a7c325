/** Lets events of a key through at a pace, and a burst of them at once (the generic cell rate algorithm). */
export class RateLimiter {
  /** When each key will have paid for what it had. */
  readonly #paidAt = new Map<string, number>();

  /** @param now - the clock, in milliseconds */
  constructor(readonly intervalMs: number, readonly burst: number, readonly now: () => number) {}

  /** Takes one event of this key, unless that is too many. */
  admits(key: string): boolean {
    const now = this.now();
    const paidAt = Math.max(now, this.#paidAt.get(key) ?? 0) + this.intervalMs;
    if (paidAt - now > this.intervalMs * this.burst) return false;
    this.#paidAt.set(key, paidAt);
    return true;
  }
}
