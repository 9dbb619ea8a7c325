/** A server that answers the first request of a connection and breaks the connection after having read the second. */
export interface BreakingServer extends AsyncDisposable {
  url: string;
  host: string;
  /** The bodies of all requests, in the order in which they came. */
  bodies: string[];
}

/** Starts one on a free port: `await using server = startBreakingServer()`. */
export function startBreakingServer(): BreakingServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const bodies: string[] = [];
  const connections: Deno.TcpConn[] = [];
  const accepting = accept(listener, connections, bodies);
  const host = `127.0.0.1:${listener.addr.port}`;
  return {
    url: `http://${host}`,
    host,
    bodies,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of connections) close(connection);
      await accepting;
    },
  };
}

async function accept(listener: Deno.TcpListener, connections: Deno.TcpConn[], bodies: string[]): Promise<void> {
  const serving = [];
  for await (const connection of listener) {
    connections.push(connection);
    serving.push(serveOnce(connection, bodies));
  }
  await Promise.all(serving);
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It was broken before.
  }
}

async function serveOnce(connection: Deno.TcpConn, bodies: string[]): Promise<void> {
  const first = await readRequest(connection);
  if (first !== null) {
    bodies.push(first);
    await connection.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"));
    const second = await readRequest(connection);
    if (second !== null) bodies.push(second);
  }
  close(connection);
}

/** The body of the next request, or null when the client has gone. */
async function readRequest(connection: Deno.TcpConn): Promise<string | null> {
  let text = "";
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await connection.read(buffer).catch(() => null);
    if (count === null) return null;
    text += new TextDecoder().decode(buffer.subarray(0, count));
    const [head, body] = text.split("\r\n\r\n");
    const length = Number(/content-length: (\d+)/i.exec(head ?? "")?.[1] ?? NaN);
    if (body !== undefined && body.length >= length) return body;
  }
}
