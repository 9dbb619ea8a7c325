import { beforeIsolateEnds, inBackground } from "../background.ts";
import { log } from "../log.ts";
import { Problem } from "../problem.ts";
import { type AnsweredRequest, type Metric, RequestMetrics } from "./request_metrics.ts";

/** Often enough for a graph by the minute, seldom enough to cost next to nothing. */
const INTERVAL_MS = 30_000;

/**
 * Counts the requests of one function in this isolate and reports them to the database: beside the requests, at most
 * every 30 s, and when the isolate ends. The first request is reported at once, so that a function that is seldom called
 * is seen too. A batch that cannot be stored is dropped, for nobody knows whether it was; a later one says how many
 * requests that were.
 */
export class MetricsReport {
  readonly #metrics: RequestMetrics;
  #nextAt = 0;
  #droppedCount = 0;

  /** @param send - stores a batch, or throws, in less time than lies between two */
  constructor(readonly serviceName: string, readonly send: (batch: Metric[]) => Promise<void>) {
    this.#metrics = new RequestMetrics(serviceName);
    beforeIsolateEnds(() => this.#report());
  }

  /**
   * Counts a request, and starts a report if it is time for one.
   *
   * @param now - milliseconds since the isolate began
   */
  count(request: AnsweredRequest, now: number): void {
    this.#metrics.count(request);
    if (now < this.#nextAt) return;
    this.#nextAt = now + INTERVAL_MS;
    inBackground(() => this.#report());
  }

  async #report(): Promise<void> {
    const { requestCount } = this.#metrics;
    if (requestCount === 0) return;
    const batch = this.#metrics.take();
    if (this.#droppedCount > 0) {
      batch.push(this.#metrics.counter("http_requests_unreported_total", this.#droppedCount));
    }
    try {
      await this.send(batch);
      this.#droppedCount = 0;
    } catch (error) {
      if (this.#droppedCount === 0) this.#warn(requestCount, error);
      this.#droppedCount += requestCount;
    }
  }

  #warn(requests: number, error: unknown): void {
    const cause = String(error instanceof Problem ? error.cause : error);
    log("metrics.dropped", { fn: this.serviceName, requests, cause }, "warn");
  }
}
