import { assert, assertEquals } from "@std/assert";
import * as z from "zod";
import { createApp } from "shared/http/app.ts";
import { body } from "shared/http/body.ts";
import { rawBody } from "shared/http/raw_body.ts";
import { captureLog } from "../../support/log_lines.ts";
import { serve } from "../../support/loopback.ts";
import { outcomeOf } from "../../support/problems.ts";

captureLog();

const app = createApp("example");
app.post("/json", body(z.json()), (c) => c.json(c.req.valid("json")));
app.post("/raw", rawBody({ maxBytes: 1024 }), (c) => c.text(String(c.var.rawBody.length)));
app.get("/", (c) => c.text("hello"));

/** The status line that a server gives to bytes that no HTTP client would send. */
async function statusOf(port: number, request: string): Promise<number> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    // A server may refuse and close while we are still writing.
    await new Blob([request]).stream().pipeTo(connection.writable, { preventClose: true }).catch(() => {});
    const { value } = await connection.readable.pipeThrough(new TextDecoderStream()).getReader().read();
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(value ?? "")?.[1]);
  } finally {
    try {
      connection.close();
    } catch { /* closed by the other side */ }
  }
}

function post(path: string, headers: string, content = ""): string {
  return `POST /example/${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n\r\n${content}`;
}

const JSON_TYPE = "Content-Type: application/json";

for (
  const [name, request] of [
    [
      "Content-Length beside chunked",
      post("json", `${JSON_TYPE}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked`, "0\r\n\r\n"),
    ],
    ["two Content-Lengths", post("json", `${JSON_TYPE}\r\nContent-Length: 2\r\nContent-Length: 3`, "{}")],
    ["a negative Content-Length", post("json", `${JSON_TYPE}\r\nContent-Length: -1`)],
    ["an unknown Transfer-Encoding", post("json", `${JSON_TYPE}\r\nTransfer-Encoding: chunkedx`, "0\r\n\r\n")],
    ["a folded header", post("json", `${JSON_TYPE}\r\nX-A: a\r\n b\r\nContent-Length: 2`, "{}")],
    ["a space before the colon", post("json", `${JSON_TYPE}\r\nContent-Length : 2`, "{}")],
    ["NUL in a header", post("json", `${JSON_TYPE}\r\nX-A: a\u0000b\r\nContent-Length: 2`, "{}")],
    ["a bad chunk size", post("json", `${JSON_TYPE}\r\nTransfer-Encoding: chunked`, "zz\r\n{}\r\n0\r\n\r\n")],
    ["no HTTP at all", "\u0016\u0003\u0001\u0002\u0000\u0001\r\n\r\n"],
  ] as const
) {
  Deno.test(`the app survives ${name}`, async () => {
    await using server = serve(app.fetch);

    const status = await statusOf(server.port, request);

    // NaN: the server closed the connection without a word, which is an answer too.
    assert(Number.isNaN(status) || (status >= 400 && status < 500), `answered ${status}`);
    assertEquals(await (await fetch(`${server.url}/example`)).text(), "hello");
  });
}

Deno.test("the app survives a header of 100 kB", async () => {
  await using server = serve(app.fetch);

  const status = await statusOf(
    server.port,
    post("json", `X-A: ${"a".repeat(100_000)}\r\n${JSON_TYPE}\r\nContent-Length: 2`, "{}"),
  );

  // Where the limit lies is the server's to say.
  assert(Number.isNaN(status) || status < 500, `answered ${status}`);
});

Deno.test("the app answers 413 before a body of declared size is sent", async () => {
  await using server = serve(app.fetch);

  assertEquals(await statusOf(server.port, post("raw", "Content-Length: 1025")), 413);
});

Deno.test("the app answers 413 to chunks that never end", async () => {
  await using server = serve(app.fetch);
  const chunk = `400\r\n${"x".repeat(1024)}\r\n`;

  assertEquals(await statusOf(server.port, post("raw", "Transfer-Encoding: chunked", chunk + chunk)), 413);
});

Deno.test("the app answers 413 to a gzip bomb of 200 MB", async () => {
  await using server = serve(app.fetch);
  const zeros = ReadableStream.from((function* () {
    for (let megabyte = 0; megabyte < 200; megabyte++) yield new Uint8Array(1024 * 1024).fill(0x20);
  })());
  const bomb = await new Response(zeros.pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
  assert(bomb.byteLength < 256 * 1024);

  const response = await fetch(`${server.url}/example/json`, {
    method: "POST",
    headers: { "content-type": "application/json", "content-encoding": "gzip" },
    body: bomb,
  });

  assertEquals(await outcomeOf(response), "413 payload_too_large");
});

Deno.test("the app answers 400 to 250,000 open brackets", async () => {
  await using server = serve(app.fetch);
  const deep = "[".repeat(250_000);

  const response = fetch(`${server.url}/example/json`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: deep,
  });

  assertEquals(await outcomeOf(response), "400 body_too_deep");
});

Deno.test("the app logs a client that goes away in the middle of its body, and goes on", async () => {
  await using server = serve(app.fetch);
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await connection.write(new TextEncoder().encode(post("raw", "Content-Length: 100", "only this")));
  connection.close();

  assertEquals(await (await fetch(`${server.url}/example`)).text(), "hello");
});
