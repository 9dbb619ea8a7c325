const DECODER = new TextDecoder();
const ENCODER = new TextEncoder();
const MAX_ANSWER = 64 * 1024;

/** A POST as it goes over the wire, written once. */
export function encodePost(url: string, headers: Record<string, string>, body: Uint8Array): Uint8Array {
  const head = encodeHead("POST", url, { "content-length": String(body.length), ...headers });
  const request = new Uint8Array(head.length + body.length);
  request.set(head);
  request.set(body, head.length);
  return request;
}

/** A GET as it goes over the wire, written once. */
export function encodeGet(url: string, headers: Record<string, string>): Uint8Array {
  return encodeHead("GET", url, headers);
}

function encodeHead(method: string, url: string, headers: Record<string, string>): Uint8Array {
  const { host, pathname, search } = new URL(url);
  const lines = [`${method} ${pathname}${search} HTTP/1.1`, `host: ${host}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  return ENCODER.encode(`${lines.join("\r\n")}\r\n\r\n`);
}

/** One kept-alive connection with as little HTTP/1.1 as load needs: the client must cost less than what it measures. */
export class HttpConnection {
  readonly #buffer = new Uint8Array(MAX_ANSWER);

  private constructor(readonly tcp: Deno.TcpConn) {}

  static async open(url: string): Promise<HttpConnection> {
    const { hostname, port } = new URL(url);
    const tcp = await Deno.connect({ hostname, port: Number(port) });
    tcp.setNoDelay(true);
    return new HttpConnection(tcp);
  }

  /** Sends a request of {@link encodePost} and waits for the whole answer; gives its status. */
  async send(request: Uint8Array): Promise<number> {
    for (let sent = 0; sent < request.length;) sent += await this.tcp.write(request.subarray(sent));
    for (let filled = 0;;) {
      const count = await this.tcp.read(this.#buffer.subarray(filled));
      if (!count) throw new Error("the server closed the connection");
      filled += count;
      const answer = DECODER.decode(this.#buffer.subarray(0, filled));
      if (isWhole(answer, filled)) return Number(answer.slice(9, 12));
    }
  }

  close(): void {
    this.tcp.close();
  }
}

function isWhole(answer: string, byteCount: number): boolean {
  const headEnd = answer.indexOf("\r\n\r\n") + 4;
  if (headEnd < 4) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(answer)?.[1];
  if (length !== undefined) return byteCount >= headEnd + Number(length);
  return / (204|304) /.test(answer.slice(8, 13)) || answer.endsWith("0\r\n\r\n");
}
