const ID = /^[A-Za-z0-9._:-]{1,64}$/;
/** W3C Trace Context: version, trace id, parent id, flags. No all-zero ids, no version ff; only versions after 00 may append fields. */
const TRACEPARENT = /^(?!ff|00.{54})[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(?:-.*)?$/;

/** What is known about one request: the ids that tie its traces together, and what its log line will say. */
export class RequestTrace {
  /** Given by the client as `x-request-id`, or made. */
  readonly requestId: string;
  /** Given as `x-correlation-id`: the piece of business that this request belongs to. */
  readonly correlationId: string | undefined;
  /** 32 hex digits, continued from `traceparent` or made. */
  readonly traceId: string;
  readonly #flags: string;

  /** Milliseconds spent waiting for the database; undefined when it was not called. */
  databaseMs: number | undefined;
  /** Code of the problem that was answered. */
  code: string | undefined;
  /** For the log only: why the request failed. */
  cause: string | undefined;

  constructor(headers: Headers) {
    const fresh = crypto.randomUUID();
    this.requestId = wellFormed(headers.get("x-request-id")) ?? fresh;
    this.correlationId = wellFormed(headers.get("x-correlation-id"));
    const parent = TRACEPARENT.exec(headers.get("traceparent") ?? "");
    this.traceId = parent?.[1] ?? fresh.replaceAll("-", "");
    this.#flags = parent?.[2] ?? "01";
  }

  /** A `traceparent` for one call that this request makes: a span of its own in the same trace. */
  childTraceparent(): string {
    return `00-${this.traceId}-${spanId()}-${this.#flags}`;
  }

  /** Adds to the time spent waiting for the database. */
  addDatabaseTime(ms: number): void {
    this.databaseMs = (this.databaseMs ?? 0) + ms;
  }
}

/**
 * A `traceparent` for one call that work makes which outlived its request: every attempt at the same work has one trace,
 * that of the id it is known by if that is a trace id or a UUID.
 */
export function traceparentOf(id: string): string {
  const traceId = id.replaceAll("-", "");
  const isTraceId = /^(?!0{32})[0-9a-f]{32}$/.test(traceId);
  return `00-${isTraceId ? traceId : crypto.randomUUID().replaceAll("-", "")}-${spanId()}-01`;
}

function wellFormed(id: string | null): string | undefined {
  return id !== null && ID.test(id) ? id : undefined;
}

function spanId(): string {
  // The last group and the third of a version 4 UUID; its first digit is never 0, so the id is never all zero.
  const uuid = crypto.randomUUID();
  return uuid.slice(14, 18) + uuid.slice(24);
}
