declare global {
  var EdgeRuntime: { waitUntil(work: Promise<unknown>): void } | undefined;
}

/** Whether there is a platform that keeps the isolate alive for work after the answer. */
export function canRunInBackground(): boolean {
  return globalThis.EdgeRuntime !== undefined;
}

/**
 * Starts work that goes on after the answer, in an isolate that the platform keeps alive for it (up to its limits: not
 * for what must not be lost). Where there is no such platform, nothing is started.
 *
 * @param work - must not reject
 * @see Supabase, Edge Functions: "Background Tasks"
 */
export function inBackground(work: () => Promise<void>): void {
  globalThis.EdgeRuntime?.waitUntil(work());
}

/** Starts work when the platform is about to end this isolate, whatever the reason. */
export function beforeIsolateEnds(work: () => Promise<void>): void {
  addEventListener("beforeunload", () => inBackground(work));
}
