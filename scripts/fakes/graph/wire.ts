/** The client's end of the connection that a request came on, to answer below HTTP. */
export interface Line {
  /** Sends this as it is. */
  write(bytes: Blob): Promise<void>;
  /** Breaks the connection. */
  close(): void;
}

/** Answers a request, by HTTP or on its line. */
export type LineHandler = (request: Request, line: Line) => Promise<Response>;

/** An HTTP server whose handler may also break the connection in every way that a network can. */
export interface Wire extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  host: string;
  /** How many connections are open. */
  readonly connectionCount: number;
}

const HOSTNAME = "127.0.0.1";

/**
 * Serves HTTP behind a relay of bytes: the server in the back speaks it well, the relay lets the handler speak it badly.
 *
 * @param port - 0 takes a free one
 */
export function openWire(handler: LineHandler, port = 0): Wire {
  /** By the port that the relay calls the server in the back from. */
  const clients = new Map<number, Deno.TcpConn>();
  const relays = new Set<Promise<void>>();
  const back = Deno.serve(
    { hostname: HOSTNAME, port: 0, onListen() {} },
    (request, { remoteAddr }) => handler(request, lineOf(clients.get(remoteAddr.port))),
  );
  const front = Deno.listen({ hostname: HOSTNAME, port });

  async function accept(): Promise<void> {
    for await (const client of front) {
      const done = relay(client).finally(() => relays.delete(done));
      relays.add(done);
    }
  }

  async function relay(client: Deno.TcpConn): Promise<void> {
    const server = await Deno.connect({ hostname: HOSTNAME, port: back.addr.port });
    const key = server.localAddr.port;
    clients.set(key, client);
    // Each ends the other: piping closes where it writes to.
    await Promise.allSettled([client.readable.pipeTo(server.writable), server.readable.pipeTo(client.writable)]);
    clients.delete(key);
  }

  const accepting = accept();
  return {
    host: `${HOSTNAME}:${front.addr.port}`,
    get connectionCount() {
      return relays.size;
    },
    async [Symbol.asyncDispose]() {
      front.close();
      for (const client of clients.values()) close(client);
      await Promise.all([accepting, ...relays, back.shutdown()]);
    },
  };
}

/** @param client - nobody when it was gone before its request was read to the end */
function lineOf(client: Deno.TcpConn | undefined): Line {
  return {
    close: () => client && close(client),
    async write(blob) {
      if (!client) return;
      const bytes = await blob.bytes();
      try {
        for (let sent = 0; sent < bytes.length;) sent += await client.write(bytes.subarray(sent));
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    },
  };
}

/** The client may have been first. */
function close(client: Deno.TcpConn): void {
  try {
    client.close();
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

function isGone(error: unknown): boolean {
  const { BadResource, BrokenPipe, ConnectionReset } = Deno.errors;
  return [BadResource, BrokenPipe, ConnectionReset].some((kind) => error instanceof kind);
}
