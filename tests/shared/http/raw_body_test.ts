import { assertEquals } from "@std/assert";
import { createApp } from "shared/http/app.ts";
import { rawBody } from "shared/http/raw_body.ts";
import { captureLog } from "../../support/log_lines.ts";
import { outcomeOf } from "../../support/problems.ts";

captureLog();

const app = createApp("example");
app.post("/", rawBody({ maxBytes: 8 }), (c) => c.body(c.var.rawBody));

function post(body?: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
  return Promise.resolve(app.request("/example", { method: "POST", body, headers }));
}

Deno.test("rawBody() gives the bytes exactly as they were sent", async () => {
  const bytes = new Uint8Array([0xef, 0xbb, 0xbf, 0xff, 0x00, 0x0d, 0x0a]);

  assertEquals(await (await post(bytes)).bytes(), bytes);
});

Deno.test("rawBody() takes a body of the largest size and an empty one", async () => {
  assertEquals(await (await post("12345678")).text(), "12345678");
  assertEquals(await (await post()).text(), "");
});

Deno.test("rawBody() refuses one byte more, declared or not", async () => {
  assertEquals(await outcomeOf(post("123456789", { "content-length": "9" })), "413 payload_too_large");
  assertEquals(
    await outcomeOf(post(ReadableStream.from([new Uint8Array(5), new Uint8Array(4)]))),
    "413 payload_too_large",
  );
  assertEquals(await outcomeOf(post("123456789", { "content-length": "1" })), "413 payload_too_large");
});

Deno.test("rawBody() answers 400 to a body that breaks off", async () => {
  const broken = new ReadableStream({ pull: () => Promise.reject(new TypeError("connection reset")) });

  assertEquals(await outcomeOf(post(broken)), "400 invalid_body_encoding");
  assertEquals(
    await outcomeOf(post(
      new ReadableStream({ pull: () => Promise.reject(new TypeError("reset")) }),
      { "content-length": "5" },
    )),
    "400 invalid_body_encoding",
  );
});
