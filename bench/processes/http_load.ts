import { delivery, deliveryHeaders } from "../support/deliveries.ts";
import { encodeGet, encodePost, HttpConnection } from "../support/http_connection.ts";
import { input, report } from "../support/processes.ts";

/** What to send, and how fast. */
export interface HttpLoad {
  url: string;
  seconds: number;
  /** Closed loop: each of so many connections sends as soon as it is answered. */
  connections?: number;
  /** Open loop: so many a second at random times (Poisson), however long answers take. */
  rate?: number;
  /** The same JSON each time; without it, deliveries that all differ. */
  post?: { headers: Record<string, string>; body: string };
  /** The same GET each time. */
  get?: { headers: Record<string, string> };
}

/** What came back. */
export interface HttpAnswers {
  /** Milliseconds each; in the open loop from the moment at which the request was due. */
  latencies: number[];
  failed: number;
  seconds: number;
}

const load = input<HttpLoad>();
const fixed = fixedRequest(load);
const answers: HttpAnswers = { latencies: [], failed: 0, seconds: 0 };
const idle: HttpConnection[] = [];

function fixedRequest({ url, post, get }: HttpLoad): Uint8Array | undefined {
  if (get) return encodeGet(url, get.headers);
  return post && encodePost(url, post.headers, new TextEncoder().encode(post.body));
}

function nextRequest(): Uint8Array {
  if (fixed) return fixed;
  const body = delivery();
  return encodePost(load.url, deliveryHeaders(body), body);
}

async function send(connection: HttpConnection, since: number, request: Uint8Array): Promise<void> {
  const status = await connection.send(request);
  answers.latencies.push(performance.now() - since);
  if (status >= 400) answers.failed++;
}

async function closedLoop(connections: number, end: number): Promise<void> {
  await Promise.all(Array.from({ length: connections }, async () => {
    const connection = await HttpConnection.open(load.url);
    while (performance.now() < end) {
      const request = nextRequest();
      await send(connection, performance.now(), request);
    }
    connection.close();
  }));
}

async function openLoop(rate: number, end: number): Promise<void> {
  const underway = new Set<Promise<void>>();
  for (let due = performance.now(); due < end; due += -Math.log(1 - Math.random()) * 1_000 / rate) {
    const request = nextRequest();
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    const sent = sendOnIdle(due, request).finally(() => underway.delete(sent));
    underway.add(sent);
  }
  await Promise.all(underway);
  idle.forEach((connection) => connection.close());
}

async function sendOnIdle(due: number, request: Uint8Array): Promise<void> {
  const connection = idle.pop() ?? await HttpConnection.open(load.url);
  await send(connection, due, request);
  idle.push(connection);
}

const startedAt = performance.now();
const end = startedAt + load.seconds * 1_000;
await (load.rate ? openLoop(load.rate, end) : closedLoop(load.connections ?? 10, end));
answers.seconds = (performance.now() - startedAt) / 1_000;
report(answers);
