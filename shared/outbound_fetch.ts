/** Bounds of one outside call, beside what `fetch` takes. */
export interface OutboundInit extends RequestInit {
  /** Until the answer's last byte; by default 10,000. */
  timeoutMs?: number;
  /** Of the answer; by default 1 MiB. */
  maxBytes?: number;
  /** What becomes of a longer answer: an error, or only its first bytes are read; by default an error. */
  overflow?: "refuse" | "cut";
}

/** What makes outside calls: `guardedFetch`, which keeps to the list of hosts, to both bounds, and follows no redirect. */
export type OutboundFetch = (url: URL, init: OutboundInit) => Promise<Response>;
