/** What functions do after their answers, where the platform would keep the isolate alive for it. */
export interface Background {
  /** How many pieces of work were started and have not ended. */
  readonly runningCount: number;
  /** Waits until all of them have. */
  ended(): Promise<void>;
}

/** Gives this test file the platform's `EdgeRuntime`. */
export function useBackground(): Background {
  const running = new Set<Promise<unknown>>();
  globalThis.EdgeRuntime = {
    waitUntil(work) {
      running.add(work);
      work.finally(() => running.delete(work));
    },
  };
  return {
    get runningCount() {
      return running.size;
    },
    async ended() {
      await Promise.all(running);
    },
  };
}
