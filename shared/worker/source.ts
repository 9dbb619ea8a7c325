/** What one turn of a source did. */
export interface Turn {
  done: number;
  failed: number;
  /** Whether it stopped although more is due. */
  more: boolean;
}

/** Work that is done where it is kept: a turn is one bounded call, and what it did is committed when it returns. */
export interface RepeatedSource {
  readonly name: string;
  turn(): Promise<Turn>;
}

/**
 * What became of an item. `released` says that nothing has happened yet, so that it may be tried again at once: only the
 * handler can know.
 */
export type Outcome = { kind: "done"; result?: unknown } | { kind: "failed"; error: unknown } | { kind: "released" };

/** An item with what became of it. */
export interface Settled<Item> {
  item: Item;
  /** Of one that is done. */
  result?: unknown;
  /** Of one that failed: whatever the handler gave or threw. */
  error?: unknown;
}

/** Work that is leased to us item by item and handled here. */
export interface ClaimedSource<Item> {
  readonly name: string;
  /** Items that are worked on at the same moment, in one run. */
  readonly concurrency: number;
  /** How long a handler may take, at most a minute; the lease is longer by itself. */
  readonly timeoutMs: number;
  claim(maxCount: number, leaseSeconds: number): Promise<Item[]>;
  /**
   * Does the work of one item.
   *
   * @param signal - says that the time is over or that the run must end: what has no effect yet is best `released`, and
   *   what may have one is told as it is. Whoever does not answer within a moment keeps the lease until it ends by itself.
   */
  handle(item: Item, signal: AbortSignal): Promise<Outcome>;
  /** Writes down what became of items, in one call; says of how many that was right, the others having lost their lease. */
  complete(items: Settled<Item>[]): Promise<number>;
  fail(items: Settled<Item>[]): Promise<number>;
  release(items: Settled<Item>[]): Promise<number>;
}
