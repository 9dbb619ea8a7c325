/** Time as a run sees it; tests bring their own. */
export interface Clock {
  /** Milliseconds that never go back. */
  now(): number;
  /** Resolves after so many milliseconds, or as soon as the signal says that nobody waits any longer. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** The time of this machine. */
export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const timer = setTimeout(end, ms);
      signal?.addEventListener("abort", end);
      function end(): void {
        clearTimeout(timer);
        signal?.removeEventListener("abort", end);
        resolve();
      }
    }),
};
