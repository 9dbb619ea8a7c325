/** An HTTP server on a free port of this machine, for one test. */
export interface Loopback extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  url: string;
  /** `127.0.0.1:<port>` */
  host: string;
  port: number;
}

/** Serves `handler` until the test's block ends: `await using server = serve(...)`. */
export function serve(handler: (request: Request) => Response | Promise<Response>): Loopback {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, handler);
  const { port } = server.addr;
  const host = `127.0.0.1:${port}`;
  return { url: `http://${host}`, host, port, [Symbol.asyncDispose]: () => server.shutdown() };
}
