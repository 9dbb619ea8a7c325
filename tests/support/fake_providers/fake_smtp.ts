/** How a mail server treats a session. */
export interface FakeSmtpOptions {
  /** Replies in the place of the good ones, by the command's first word; `.` ends the message. `null` breaks the connection, `""` says nothing. */
  replies?: Record<string, string | null>;
  /** Speaks TLS from the first byte. */
  tls?: { cert: string; key: string };
  /** What it says that it can do. */
  extensions?: string[];
}

/** An e-mail as it arrived. */
export interface ArrivedMail {
  from: string;
  to: string;
  /** Header lines, unfolded. */
  headers: string[];
  /** With the dots that the protocol adds. */
  text: string;
}

/** A mail server on this machine. */
export interface FakeSmtp extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  host: string;
  port: number;
  /** What was taken. */
  mails: ArrivedMail[];
  /** Every command of every session. */
  commands: string[];
}

const GOOD: Record<string, string> = { DATA: "354 Go on", QUIT: "221 Bye", ".": "250 2.0.0 Ok: queued" };

/** Starts one: `await using smtp = startFakeSmtp()`. */
export function startFakeSmtp(options: FakeSmtpOptions = {}): FakeSmtp {
  const address = { hostname: "127.0.0.1", port: 0 };
  const listener = options.tls ? Deno.listenTls({ ...address, ...options.tls }) : Deno.listen(address);
  const { port } = listener.addr as Deno.NetAddr;
  const [mails, commands]: [ArrivedMail[], string[]] = [[], []];
  const connections = new Set<Deno.Conn>();
  const sessions = accept();

  async function accept(): Promise<void> {
    const running = [];
    for await (const connection of incoming(listener)) {
      connections.add(connection);
      running.push(serve(connection, options, { mails, commands }));
    }
    await Promise.all(running);
  }

  return {
    host: `127.0.0.1:${port}`,
    port,
    mails,
    commands,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of connections) close(connection);
      await sessions;
      // On the platform's Deno what the client has put off with `setImmediate` counts as a timer that it leaves behind.
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve));
    },
  };
}

/** A failed handshake ends a connection, not the server. */
async function* incoming(listener: Deno.Listener | Deno.TlsListener): AsyncGenerator<Deno.Conn> {
  for (;;) {
    try {
      yield await listener.accept();
    } catch (error) {
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
    }
  }
}

async function serve(
  connection: Deno.Conn,
  { replies = {}, extensions = [] }: FakeSmtpOptions,
  { mails, commands }: Pick<FakeSmtp, "mails" | "commands">,
): Promise<void> {
  const good = { ...GOOD, EHLO: ["250-fake", ...extensions.map((name) => `250-${name}`), "250 8BITMIME"].join("\r\n") };
  const say = async (name: string): Promise<void> => {
    const reply = name in replies ? replies[name]! : good[name as keyof typeof good] ?? "250 Ok";
    if (reply === null) close(connection);
    else if (reply !== "") await connection.write(new TextEncoder().encode(`${reply}\r\n`)).catch(() => {});
  };
  let [from, to, message]: [string, string, string[] | undefined] = ["", "", undefined];
  await connection.write(new TextEncoder().encode("220 fake ESMTP\r\n")).catch(() => {});
  for await (const line of linesOf(connection)) {
    if (message && line !== ".") {
      message.push(line);
      continue;
    }
    if (message) mails.push(mailOf(from, to, message));
    else commands.push(line);
    const name = line.split(/[ :]/, 1)[0]!.toUpperCase();
    message = name === "DATA" && !("DATA" in replies) ? [] : undefined;
    if (name === "MAIL") from = line;
    if (name === "RCPT") to = line;
    await say(name);
    if (name === "QUIT") close(connection);
  }
}

function mailOf(from: string, to: string, lines: string[]): ArrivedMail {
  const text = lines.join("\n");
  const [head = ""] = text.split("\n\n", 1);
  return { from, to, headers: head.replaceAll(/\n[ \t]+/g, " ").split("\n"), text };
}

async function* linesOf(connection: Deno.Conn): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16_384);
  let rest = "";
  for (;;) {
    const count = await connection.read(buffer).catch(() => null);
    if (count === null) return;
    const lines = (rest + decoder.decode(buffer.subarray(0, count), { stream: true })).split("\r\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It was closed before.
  }
}
