/**
 * Upper bounds of the buckets in seconds, but for the last one, which has none. Our budgets of 250 ms and 1 s are among
 * them.
 *
 * @see OpenTelemetry, Semantic conventions for HTTP metrics: `http.server.request.duration`
 */
export const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;

/** Durations, counted by how long they are. */
export class Histogram {
  sum = 0;
  minimum = Infinity;
  maximum = 0;
  readonly #counts: number[] = Array(BOUNDS.length + 1).fill(0);

  /** Counts one duration. */
  observe(seconds: number): void {
    let bucket = 0;
    while (seconds > BOUNDS[bucket]!) bucket++;
    this.#counts[bucket]!++;
    this.sum += seconds;
    if (seconds < this.minimum) this.minimum = seconds;
    if (seconds > this.maximum) this.maximum = seconds;
  }

  /** Upper bound -> count of that bucket alone, as `record_metrics` takes them: full ones, and those that end where a full one begins. */
  get buckets(): Record<string, number> {
    const labelled = this.#counts.map((count, bucket) => [String(BOUNDS[bucket] ?? "+Inf"), count] as const);
    return Object.fromEntries(labelled.filter(([, count], bucket) => count > 0 || this.#counts[bucket + 1]));
  }
}
