import { Histogram } from "./histogram.ts";

/** What is measured of a request. Never its path, its query or who sent it. */
export interface AnsweredRequest {
  method: string;
  /** The route's pattern; undefined when no route serves the path. */
  route: string | undefined;
  status: number;
  /** Code of the problem that was answered, if it was one. */
  code: string | undefined;
  durationMs: number;
}

/** An element of the batch that `record_metrics` takes. */
export interface Metric {
  service_name: string;
  metric_type: "counter" | "gauge" | "histogram";
  metric_name: string;
  value: number;
  unit?: string;
  tags?: Tags;
  buckets?: Record<string, number>;
  minimum?: number;
  maximum?: number;
}

type Tags = Record<string, string>;

/** Anybody can invent methods, and each would be a series of its own. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Counts the requests of one function. What it holds grows with the number of routes, not of requests. */
export class RequestMetrics {
  /** Requests counted since the last `take()`. */
  requestCount = 0;
  readonly #durations = new Series(() => new Histogram());
  readonly #problems = new Series(() => ({ count: 0 }));

  constructor(readonly serviceName: string) {}

  /** Counts one request. */
  count({ method: given, route = "unmatched", status, code, durationMs }: AnsweredRequest): void {
    const method = METHODS.has(given) ? given : "_OTHER";
    this.requestCount++;
    this.#durations.of({ method, route, status_class: `${Math.floor(status / 100)}xx` }).observe(durationMs / 1_000);
    if (code !== undefined) this.#problems.of({ method, route, code }).count++;
  }

  /** Gives what was counted since the last time, and begins anew. */
  take(): Metric[] {
    this.requestCount = 0;
    return [
      ...this.#durations.take().map(([tags, histogram]) =>
        this.#histogram("http_request_duration_seconds", histogram, tags)
      ),
      ...this.#problems.take().map(([tags, { count }]) => this.counter("http_request_problems_total", count, tags)),
    ];
  }

  /** A counter of this function, with what it grew by. */
  counter(metric_name: string, value: number, tags: Tags = {}): Metric {
    return { service_name: this.serviceName, metric_type: "counter", metric_name, value, tags };
  }

  #histogram(metric_name: string, { sum, minimum, maximum, buckets }: Histogram, tags: Tags): Metric {
    const range = { value: sum, minimum, maximum, unit: "seconds" };
    return { service_name: this.serviceName, metric_type: "histogram", metric_name, ...range, buckets, tags };
  }
}

/** One value for each combination of tags. */
class Series<Value> {
  readonly #entries = new Map<string, [Tags, Value]>();

  constructor(readonly make: () => Value) {}

  of(tags: Tags): Value {
    const key = Object.values(tags).join(" ");
    let entry = this.#entries.get(key);
    if (!entry) this.#entries.set(key, entry = [tags, this.make()]);
    return entry[1];
  }

  take(): [Tags, Value][] {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    return entries;
  }
}
