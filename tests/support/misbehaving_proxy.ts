import type { Loopback } from "./loopback.ts";

/**
 * What becomes of one request.
 *
 * - a status: answered with it and not passed on
 * - `close`: read and not passed on, the connection is broken
 * - `lose`: passed on, and the connection broken instead of an answer
 * - `pass`: passed on and answered
 */
export type Fate = 429 | 500 | 503 | "close" | "lose" | "pass";

/** A proxy that does not serve every request. */
export interface MisbehavingProxy extends Loopback {
  /** What became of requests so far. */
  fates: Fate[];
  /** What shall become of the next requests; those after them pass. */
  next: Fate[];
}

/** Starts a proxy before a server, on a free port: `await using proxy = startMisbehavingProxy(url)`. Preflights always pass. */
export function startMisbehavingProxy(target: string): MisbehavingProxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections = new Set<Deno.TcpConn>();
  const host = `127.0.0.1:${listener.addr.port}`;
  const accepting: Promise<unknown>[] = [];
  const proxy: MisbehavingProxy = {
    url: `http://${host}`,
    host,
    port: listener.addr.port,
    fates: [],
    next: [],
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of connections) close(connection);
      await Promise.all(accepting);
    },
  };
  accepting.push(accept(listener, connections, (connection) => serve(connection, proxy, target)));
  return proxy;
}

async function accept(
  listener: Deno.TcpListener,
  connections: Set<Deno.TcpConn>,
  work: (connection: Deno.TcpConn) => Promise<void>,
): Promise<void> {
  const serving = [];
  for await (const connection of listener) {
    connections.add(connection);
    // Clients break connections too.
    serving.push(work(connection).catch(() => {}).finally(() => close(connection)));
  }
  await Promise.all(serving);
}

/** Serves one request; each has a connection of its own. */
async function serve(connection: Deno.TcpConn, proxy: MisbehavingProxy, target: string): Promise<void> {
  const request = await readRequest(connection);
  if (!request) return;
  const fate = request.method === "OPTIONS" ? "pass" : proxy.next.shift() ?? "pass";
  if (request.method !== "OPTIONS") proxy.fates.push(fate);
  if (fate === "close") return;
  if (typeof fate === "number") return await answer(connection, refusal(fate, request.headers));
  const response = await fetch(`${target}${request.path}`, {
    method: request.method,
    headers: request.headers,
    body: request.body.length > 0 ? request.body : undefined,
  });
  if (fate === "pass") return await answer(connection, response);
  await response.body?.cancel();
}

/** As our gateway's refusals are, so that browsers show them to the page. */
function refusal(status: number, headers: Headers): Response {
  const origin = headers.get("origin");
  return Response.json({}, {
    status,
    headers: {
      "retry-after": "1",
      ...(origin ? { "access-control-allow-origin": origin, "access-control-allow-credentials": "true" } : {}),
      "access-control-expose-headers": "Retry-After",
    },
  });
}

async function answer(connection: Deno.TcpConn, response: Response): Promise<void> {
  const body = new Uint8Array(await response.arrayBuffer());
  const headers = new Headers(response.headers);
  for (const name of ["content-encoding", "transfer-encoding", "keep-alive"]) headers.delete(name);
  headers.set("connection", "close");
  headers.set("content-length", String(body.length));
  const head = `HTTP/1.1 ${response.status} -\r\n${
    [...headers].map(([name, value]) => `${name}: ${value}\r\n`).join("")
  }\r\n`;
  await write(connection, new TextEncoder().encode(head));
  await write(connection, body);
}

async function write(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length;) offset += await connection.write(bytes.subarray(offset));
}

interface ReadRequest {
  method: string;
  path: string;
  headers: Headers;
  body: Uint8Array<ArrayBuffer>;
}

/** The request of a connection, which says its length; null when the client has gone. */
async function readRequest(connection: Deno.TcpConn): Promise<ReadRequest | null> {
  let bytes = new Uint8Array();
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const head = headOf(bytes);
    if (head && bytes.length - head.size >= head.length) {
      return { ...head, body: bytes.slice(head.size, head.size + head.length) };
    }
    const count = await connection.read(buffer);
    if (count === null) return null;
    bytes = Uint8Array.from([...bytes, ...buffer.subarray(0, count)]);
  }
}

function headOf(bytes: Uint8Array) {
  const text = new TextDecoder("latin1").decode(bytes);
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first = "", ...lines] = text.slice(0, end).split("\r\n");
  const [method = "", path = ""] = first.split(" ");
  const headers = new Headers(
    lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const length = Number(headers.get("content-length") ?? 0);
  for (const name of ["connection", "host", "content-length"]) headers.delete(name);
  return { method, path, headers, length, size: end + 4 };
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It was broken before.
  }
}
