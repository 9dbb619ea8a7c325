import type { Clock } from "shared/worker/clock.ts";

interface Sleeper {
  until: number;
  wake: () => void;
}

/** A clock whose time passes only while everybody sleeps, so that hours take no time and nothing depends on the machine. */
export class VirtualClock implements Clock {
  #now = 0;
  #sleepers: Sleeper[] = [];

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = { until: this.#now + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        resolve();
      });
    });
  }

  /** Time that somebody spends without waiting. */
  spend(ms: number): void {
    this.#now += ms;
  }

  /** Lets time pass until the work has ended; fails when nobody will ever do anything again. */
  async during<T>(work: Promise<T>): Promise<T> {
    let hasEnded = false;
    const end = () => void (hasEnded = true);
    work.then(end, end);
    for (;;) {
      // Everything that is not asleep goes on before time does.
      await new Promise((resolve) => setTimeout(resolve));
      if (hasEnded) return await work;
      const next = this.#sleepers.reduce((first, other) => other.until < first.until ? other : first, NOBODY);
      if (next === NOBODY) throw new Error("everybody waits, and nobody sleeps");
      this.#sleepers = this.#sleepers.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.until);
      next.wake();
    }
  }
}

const NOBODY: Sleeper = { until: Infinity, wake: () => {} };
