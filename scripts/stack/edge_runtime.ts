import "../../shared/background.ts";

/**
 * Gives functions what they notice of the edge runtime: work that goes on after an answer, and word of the end.
 *
 * @returns tells the functions that it is over, and waits for their work
 */
export function provideEdgeRuntime(): () => Promise<void> {
  const running = new Set<Promise<unknown>>();
  globalThis.EdgeRuntime = {
    waitUntil(work) {
      running.add(work);
      work.finally(() => running.delete(work));
    },
  };
  return async () => {
    dispatchEvent(new Event("beforeunload"));
    await Promise.all(running);
  };
}
