import { assertEquals, assertNotEquals } from "@std/assert";
import { APP_SECRET, deliver, forge, sign } from "../../scripts/fakes/graph/deliver.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

Deno.test("sign() is HMAC-SHA256 in hex (RFC 4231, test case 2)", async () => {
  const signature = await sign(bytesOf("what do ya want for nothing?"), "Jefe");

  assertEquals(signature, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
});

Deno.test("deliver() sends exactly these bytes with their signature", async () => {
  const bytes = new Uint8Array([0xff, 0, 0x7b]);
  const received = Promise.withResolvers<[Uint8Array, string | null]>();
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    received.resolve([await request.bytes(), request.headers.get("x-hub-signature-256")]);
    return new Response();
  });

  const response = await deliver(fetch, `http://127.0.0.1:${server.addr.port}/`, bytes);
  await response.body?.cancel();

  assertEquals(await received.promise, [bytes, await sign(bytes, APP_SECRET)]);
});

Deno.test("deliver() sends the signature given, or none", async () => {
  const headerOf = (request: Request) => new Response(request.headers.get("x-hub-signature-256") ?? "none");
  const send = async (signature: string | null) =>
    await (await deliver(headerOf, "http://localhost/", bytesOf("{}"), { signature })).text();

  assertEquals([await send("sha1=1"), await send(""), await send(null)], ["sha1=1", "", "none"]);
});

Deno.test("forge() never gives a body together with its signature", async () => {
  for (const { name, bytes, signature } of await forge(bytesOf('{"object":"whatsapp_business_account"}'))) {
    assertNotEquals(signature, await sign(bytes, APP_SECRET), name);
  }
});
