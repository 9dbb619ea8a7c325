import { assertEquals, assertRejects } from "@std/assert";
import { allowedUrl, guardedFetch, isAllowedSocket } from "shared/http/guarded_fetch.ts";
import type { OutboundInit } from "shared/outbound_fetch.ts";
import { type Loopback, serve } from "../../support/loopback.ts";
import { codeThrownBy } from "../../support/problems.ts";
import { useSettings } from "../../support/settings.ts";

const settings: { OUTBOUND_ALLOWED_HOSTS?: string } = {};
useSettings(settings);

async function codeOf(url: string, init?: OutboundInit): Promise<string | undefined> {
  return await codeThrownBy(() => guardedFetch(url, init));
}

function allow(...hosts: (string | Loopback)[]): void {
  settings.OUTBOUND_ALLOWED_HOSTS = hosts.map((host) => typeof host === "string" ? host : host.host).join(", ");
}

Deno.test("guardedFetch() calls a host and port of the list and gives its answer back", async () => {
  await using momo = serve(async (request) =>
    Response.json([request.method, request.headers.get("x-reference-id"), await request.text()], {
      status: 202,
      headers: { "x-answer": "1" },
    })
  );
  allow(momo);

  const answer = await guardedFetch(`${momo.url}/requesttopay`, {
    method: "POST",
    headers: { "x-reference-id": "r1" },
    body: "{}",
  });

  assertEquals([answer.status, answer.headers.get("x-answer")], [202, "1"]);
  assertEquals(await answer.json(), ["POST", "r1", "{}"]);
});

Deno.test("guardedFetch() gives answers without a body back", async () => {
  await using server = serve(() => new Response(null, { status: 204 }));
  allow(server);

  assertEquals((await guardedFetch(server.url)).status, 204);
});

Deno.test("guardedFetch() gives an error answer back: it is the caller's to understand", async () => {
  await using server = serve(() => new Response("no", { status: 500 }));
  allow(server);

  assertEquals(await (await guardedFetch(server.url)).text(), "no");
});

Deno.test("guardedFetch() does not follow a redirect past the list", async () => {
  let visits = 0;
  await using inside = serve(() => new Response(`${++visits}`));
  await using outside = serve(() => Response.redirect(inside.url));
  allow(outside);

  const answer = await guardedFetch(outside.url);

  assertEquals([answer.status, visits], [302, 0]);
});

Deno.test("guardedFetch() calls nobody when the list is empty or absent", async () => {
  settings.OUTBOUND_ALLOWED_HOSTS = undefined;
  assertEquals(await codeOf("https://graph.facebook.com"), "outbound_not_allowed");
  settings.OUTBOUND_ALLOWED_HOSTS = "";
  assertEquals(await codeOf("https://graph.facebook.com"), "outbound_not_allowed");
});

const LIST = ["graph.facebook.com", "127.0.0.1:9001", "fake.local:8443", "169.254.169.254", "localhost", "[::1]:9002"];
const WILDCARDS = ["*.notify.windows.com", "*.internal"];
for (
  const url of [
    "https://graph.facebook.com/v26.0/1/messages",
    "https://GRAPH.facebook.com:443/",
    "http://127.0.0.1:9001/",
    "http://2130706433:9001/",
    "https://fake.local:8443/",
    "http://[::1]:9002/",
    "https://wns2-am3p.notify.windows.com/w/?token=1",
    "https://a.b.notify.windows.com/",
  ]
) {
  Deno.test(`allowedUrl() allows ${url}`, () => {
    allow(...LIST, ...WILDCARDS);

    assertEquals(allowedUrl(url).href, new URL(url).href);
  });
}

for (
  const url of [
    "http://graph.facebook.com/",
    "https://graph.facebook.com:8443/",
    "https://graph.facebook.com./",
    "https://graph.facebook.com.evil.example/",
    "https://evil.example/?https://graph.facebook.com",
    "https://graph.facebook.com@evil.example/",
    "https://user:pass@graph.facebook.com/",
    "http://127.0.0.1:9003/",
    "http://0x7f000001/",
    "https://169.254.169.254/latest/meta-data",
    "http://169.254.169.254/",
    "https://localhost/",
    "http://[::ffff:127.0.0.1]:9001/",
    "file:///etc/passwd",
    "data:text/plain,x",
    "graph.facebook.com",
    "",
    "https://notify.windows.com/",
    "https://evilnotify.windows.com/",
    "https://x.notify.windows.com.evil.example/",
    "http://x.notify.windows.com/",
    "https://x.notify.windows.com:8443/",
    "https://x.notify.windows.com./",
    "https://metadata.google.internal/",
  ]
) {
  Deno.test(`allowedUrl() refuses ${JSON.stringify(url)}`, async () => {
    allow(...LIST, ...WILDCARDS);

    assertEquals(await codeThrownBy(() => allowedUrl(url)), "outbound_not_allowed");
  });
}

Deno.test("isAllowedSocket() allows exactly the hosts and ports of the list", () => {
  allow("smtp.example.com:465", "graph.facebook.com", "*.notify.windows.com");

  assertEquals(
    [
      isAllowedSocket("smtp.example.com", 465),
      isAllowedSocket("smtp.example.com", 25),
      isAllowedSocket("mail.smtp.example.com", 465),
      isAllowedSocket("graph.facebook.com", 443),
      isAllowedSocket("x.notify.windows.com", 443),
      isAllowedSocket("169.254.169.254", 80),
    ],
    [true, false, false, false, false, false],
  );
});

Deno.test("guardedFetch() gives up on a service that does not answer", async () => {
  const { promise, resolve } = Promise.withResolvers<Response>();
  await using server = serve(() => promise);
  allow(server);

  assertEquals(await codeOf(server.url, { timeoutMs: 20 }), "outbound_timeout");
  resolve(new Response());
});

Deno.test("guardedFetch() gives up on a service that stops in the middle", async () => {
  await using server = serve(() =>
    new Response(new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array(1)) }))
  );
  allow(server);

  assertEquals(await codeOf(server.url, { timeoutMs: 50 }), "outbound_timeout");
});

Deno.test("guardedFetch() refuses an answer that is too large, declared or not", async () => {
  await using declared = serve(() => new Response("x".repeat(101)));
  await using streamed = serve(() => new Response(ReadableStream.from([new Uint8Array(60), new Uint8Array(60)])));
  allow(declared, streamed);

  assertEquals(await codeOf(declared.url, { maxBytes: 100 }), "outbound_too_large");
  assertEquals(await codeOf(streamed.url, { maxBytes: 100 }), "outbound_too_large");
  assertEquals(await (await guardedFetch(declared.url, { maxBytes: 101 })).text(), "x".repeat(101));
});

Deno.test("guardedFetch() reports a service that is not there", async () => {
  const server = serve(() => new Response());
  await server[Symbol.asyncDispose]();
  allow(server);

  assertEquals(await codeOf(server.url), "outbound_failed");
});

Deno.test("guardedFetch() stops when its caller does", async () => {
  await using server = serve(() => new Response("late"));
  allow(server);

  await assertRejects(() => guardedFetch(server.url, { signal: AbortSignal.abort() }));
});

Deno.test("guardedFetch() reads the first bytes of an answer that is longer, if that is all that is wanted", async () => {
  let isCancelled = false;
  const endless = () =>
    new ReadableStream({
      pull: (stream) => stream.enqueue(new Uint8Array(600).fill(0x61)),
      cancel: () => {
        isCancelled = true;
      },
    });
  await using server = serve(({ url }) => new Response(url.endsWith("/short") ? "short" : endless(), { status: 500 }));
  allow(server);
  const init: OutboundInit = { maxBytes: 1_000, overflow: "cut" };

  const long = await guardedFetch(`${server.url}/long`, init);
  const short = await guardedFetch(`${server.url}/short`, init);

  assertEquals([long.status, await long.text(), await short.text()], [500, "a".repeat(1_000), "short"]);
  await server[Symbol.asyncDispose]();
  assertEquals(isCancelled, true);
});
