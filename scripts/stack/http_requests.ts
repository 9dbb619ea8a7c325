import type { Row, Sql } from "postgres";

/** A row of `net.http_request_queue`. */
interface QueuedRequest extends Row {
  id: string;
  method: string;
  url: string;
  headers: Record<string, string> | null;
  body: Uint8Array<ArrayBuffer> | null;
  timeout_milliseconds: number;
}

/** A row of `net._http_response`. */
interface KeptResponse {
  status_code?: number;
  content_type?: string | null;
  headers?: Record<string, string>;
  content?: string;
  timed_out?: boolean;
  error_msg?: string;
}

/** As `pg_net.ttl`. */
const KEPT_FOR = "6 hours";
const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);

/**
 * Sends what `net.http_post` queued, once it is committed, where pg_net does so in production; to this machine only.
 *
 * @param sql - as the superuser; it is ended when this stops, even in the middle of a query
 * @returns how to stop; requests on their way are given up
 */
export async function startHttpRequests(sql: Sql): Promise<() => Promise<void>> {
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  function start(work: Promise<void>): void {
    const guarded = work.catch((error) => {
      if (!stopping.signal.aborted) console.error(`net: ${error.message}`);
    });
    running.add(guarded);
    guarded.finally(() => running.delete(guarded));
  }
  // Also once a lost connection is back: what was queued meanwhile has told nobody.
  const sweep = () => start(sendQueued(sql, stopping.signal, start));
  await sql.listen("net_request", sweep, sweep);
  return async () => {
    stopping.abort();
    await sql.end({ timeout: 0 });
    await Promise.all(running);
  };
}

async function sendQueued(sql: Sql, stopping: AbortSignal, start: (work: Promise<void>) => void): Promise<void> {
  const requests = await sql<QueuedRequest[]>`
    with due as materialized (select id from net.http_request_queue order by id for update skip locked)
    delete from net.http_request_queue as queued using due where queued.id = due.id returning queued.*`;
  for (const request of requests) start(answer(sql, request, stopping));
  await sql`delete from net._http_response where created < now() - ${KEPT_FOR}::interval`;
}

async function answer(sql: Sql, request: QueuedRequest, stopping: AbortSignal): Promise<void> {
  const response = await send(request, stopping);
  await sql`insert into net._http_response ${sql({ id: request.id, timed_out: false, ...response } as Row)}`;
}

async function send(request: QueuedRequest, stopping: AbortSignal): Promise<KeptResponse> {
  const { method, url, headers, body, timeout_milliseconds } = request;
  const { hostname } = URL.parse(url) ?? { hostname: "" };
  if (!LOOPBACK.has(hostname)) return { error_msg: "The local stack calls this machine only" };
  const deadline = AbortSignal.timeout(timeout_milliseconds);
  try {
    const signal = AbortSignal.any([deadline, stopping]);
    const response = await fetch(url, { method, headers: headers ?? {}, body, redirect: "manual", signal });
    return {
      status_code: response.status,
      content_type: response.headers.get("content-type"),
      headers: Object.fromEntries(response.headers),
      content: await response.text(),
    };
  } catch (error) {
    return { timed_out: deadline.aborted, error_msg: (error as Error).message };
  }
}
