import type { ClaimedSource, Outcome, Settled } from "shared/worker/source.ts";

/** A claimed source in memory, and what became of its items. */
export interface Claims extends ClaimedSource<number> {
  readonly due: number[];
  readonly completed: number[];
  readonly failed: [item: number, error: unknown][];
  readonly released: number[];
  /** How many were asked for by each claim, and how many each settling call brought. */
  readonly calls: string[];
  /** The most items in work at the same moment. */
  mostInWork: number;
}

type Handle = (item: number, signal: AbortSignal) => Promise<Outcome>;

/** A source with so many items due: 1, 2, 3 ... */
export function claims(
  count: number,
  handle: Handle,
  given: { concurrency?: number; timeoutMs?: number } & Partial<Pick<Claims, "claim" | "complete">> = {},
): Claims {
  let inWork = 0;
  function settle(kind: string, items: Settled<unknown>[]): Promise<number> {
    source.calls.push(`${kind} ${items.length}`);
    return Promise.resolve(items.length);
  }
  const source: Claims = {
    name: "claims",
    concurrency: 4,
    timeoutMs: 10_000,
    due: Array.from({ length: count }, (_, index) => index + 1),
    completed: [],
    failed: [],
    released: [],
    calls: [],
    mostInWork: 0,
    claim(maxCount) {
      source.calls.push(`claim ${maxCount}`);
      return Promise.resolve(source.due.splice(0, maxCount));
    },
    async handle(item, signal) {
      source.mostInWork = Math.max(source.mostInWork, ++inWork);
      try {
        return await handle(item, signal);
      } finally {
        inWork--;
      }
    },
    complete(items) {
      source.completed.push(...items.map(({ item }) => item));
      return settle("complete", items);
    },
    fail(items) {
      source.failed.push(...items.map(({ item, error }): [number, unknown] => [item, error]));
      return settle("fail", items);
    },
    release(items) {
      source.released.push(...items.map(({ item }) => item));
      return settle("release", items);
    },
    ...given,
  };
  return source;
}
