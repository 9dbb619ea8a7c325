import { assertEquals } from "@std/assert";
import * as z from "zod";
import type { Bytes } from "shared/bytes.ts";
import { createApp } from "shared/http/app.ts";
import { body } from "shared/http/body.ts";
import { captureLog } from "../../support/log_lines.ts";
import { outcomeOf, type ProblemBody } from "../../support/problems.ts";

captureLog();

const Ride = z.strictObject({ seats: z.int().min(1), to: z.strictObject({ name: z.string() }).optional() });
const app = createApp("example");
app.post("/rides", body(Ride), (c) => c.json(c.req.valid("json")));
app.post("/anything", body(z.json(), { maxBytes: 2_000 }), (c) => c.json(c.req.valid("json")));
app.post("/beacon", body(Ride, { types: ["application/json", "text/plain"] }), (c) => c.json(c.req.valid("json")));

function post(path: string, content: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
  const init = { method: "POST", body: content, headers: { "content-type": "application/json", ...headers } };
  return Promise.resolve(app.request(`/example${path}`, init));
}

async function gzip(content: string): Promise<Bytes> {
  const zipped = new Blob([content]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(zipped).arrayBuffer());
}

async function errorsOf(response: Response): Promise<ProblemBody["errors"]> {
  return (await response.json() as ProblemBody).errors;
}

Deno.test("body() gives the handler what fits the schema", async () => {
  assertEquals(await (await post("/rides", '{"seats":2,"to":{"name":"Kimironko"}}')).json(), {
    seats: 2,
    to: { name: "Kimironko" },
  });
});

Deno.test("body() points to each place that does not fit, unknown keys included", async () => {
  const response = await post("/rides", '{"seats":0,"to":{"name":1,"a/b":1},"x":1}');

  assertEquals(response.status, 422);
  assertEquals((await errorsOf(response))!.map(({ pointer }) => pointer), ["/seats", "/to/name", "/to/a~1b", "/x"]);
});

for (
  const [name, content] of [
    ["nothing", ""],
    ["text", "hello"],
    ["a half", '{"seats":'],
    ["something after the end", '{"seats":1}x'],
    ["two documents", '{"seats":1}{"seats":1}'],
    ["NaN", '{"seats":NaN}'],
    ["a raw control character", '{"seats":1,"x":"\u0001"}'],
  ] as const
) {
  Deno.test(`body() refuses ${name} as JSON`, async () => {
    assertEquals(await outcomeOf(post("/rides", content)), "400 invalid_json");
  });
}

for (
  const [name, bytes] of [
    ["a stray byte", [0x22, 0xff, 0x22]],
    ["an overlong slash", [0x22, 0xc0, 0xaf, 0x22]],
    ["a surrogate in UTF-8", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["a sequence cut short", [0x22, 0xe2, 0x82]],
  ] as const
) {
  Deno.test(`body() refuses ${name} as UTF-8`, async () => {
    assertEquals(await outcomeOf(post("/anything", new Uint8Array(bytes))), "400 invalid_body_encoding");
  });
}

Deno.test("body() skips a byte order mark", async () => {
  assertEquals(await (await post("/rides", '\ufeff{"seats":1}')).json(), { seats: 1 });
});

for (
  const [json, pointer] of [
    [String.raw`{"a":["\u0000"]}`, "/a/0"],
    [String.raw`{"a\u0000":1}`, "/a\u0000"],
    [String.raw`{"a":"\ud800"}`, "/a"],
    [String.raw`"\udc00"`, ""],
  ] as const
) {
  Deno.test(`body() refuses ${json} and points to it`, async () => {
    const response = await post("/anything", json);

    assertEquals(response.status, 400);
    assertEquals((await errorsOf(response))!.map((error) => error.pointer), [pointer]);
  });
}

Deno.test("body() accepts a complete surrogate pair", async () => {
  assertEquals(await (await post("/anything", String.raw`"\ud83d\ude00"`)).json(), "😀");
});

Deno.test("body() refuses nesting beyond 64 levels", async () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

  assertEquals((await post("/anything", nested(64))).status, 200);
  assertEquals(await outcomeOf(post("/anything", nested(65))), "400 body_too_deep");
  assertEquals(await outcomeOf(post("/anything", '{"a":'.repeat(300))), "400 body_too_deep");
});

Deno.test("body() refuses a body that declares too many bytes before it reads any", async () => {
  const unread = new ReadableStream({ pull: () => Promise.reject(new Error("was read")) }, { highWaterMark: 0 });
  const request = new Request("http://localhost/example/anything", {
    method: "POST",
    body: unread,
    headers: { "content-type": "application/json", "content-length": "2001" },
  });

  assertEquals(await outcomeOf(app.fetch(request)), "413 payload_too_large");
});

Deno.test("body() stops reading a body without a length when it gets too large", async () => {
  let sent = 0;
  const endless = new ReadableStream({
    pull(controller) {
      sent += 1_000;
      controller.enqueue(new Uint8Array(1_000).fill(0x20));
    },
  }, { highWaterMark: 0 });

  assertEquals(await outcomeOf(post("/anything", endless)), "413 payload_too_large");
  assertEquals(sent, 3_000);
});

Deno.test("body() accepts 256 KiB by default and no byte more", async () => {
  const fitting = `{"seats":1}${" ".repeat(256 * 1024 - 11)}`;

  assertEquals((await post("/rides", fitting)).status, 200);
  assertEquals(await outcomeOf(post("/rides", `${fitting} `)), "413 payload_too_large");
});

Deno.test("body() inflates gzip", async () => {
  assertEquals((await post("/rides", await gzip('{"seats":1}'), { "content-encoding": "gzip" })).status, 200);
});

Deno.test("body() refuses what inflates to too much", async () => {
  const bomb = await gzip(" ".repeat(2_001));

  assertEquals(await outcomeOf(post("/anything", bomb, { "content-encoding": "gzip" })), "413 payload_too_large");
});

Deno.test("body() refuses what is not gzip, is cut short or goes on after its end", async () => {
  const zipped = await gzip('{"seats":1}');
  const damaged = zipped.slice();
  damaged[zipped.length - 6]! ^= 1;
  const encoding = { "content-encoding": "gzip" };

  for (const content of [new TextEncoder().encode("plain"), zipped.slice(0, -4), damaged]) {
    assertEquals(await outcomeOf(post("/rides", content, encoding)), "400 invalid_body_encoding");
  }
});

for (const coding of ["br", "deflate", "gzip, gzip", "zstd"]) {
  Deno.test(`body() refuses the content coding ${coding}`, async () => {
    const response = await post("/rides", '{"seats":1}', { "content-encoding": coding });

    assertEquals(response.headers.get("accept-encoding"), "gzip");
    assertEquals(await outcomeOf(response), "415 unsupported_content_encoding");
  });
}

for (
  const type of [
    "application/json; charset=utf-8",
    'Application/JSON;charset="UTF-8"',
    "application/vnd.api+json",
    "application/json, application/json",
  ]
) {
  Deno.test(`body() accepts ${type}`, async () => {
    assertEquals((await post("/rides", '{"seats":1}', { "content-type": type })).status, 200);
  });
}

for (
  const type of [
    "",
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/json; charset=utf-16",
    "application/json, text/plain",
    "application/jsonx",
  ]
) {
  Deno.test(`body() refuses the media type ${JSON.stringify(type)}`, async () => {
    assertEquals(
      await outcomeOf(post("/rides", '{"seats":1}', { "content-type": type })),
      "415 unsupported_media_type",
    );
  });
}

Deno.test("body() accepts another media type where the route says so", async () => {
  assertEquals((await post("/beacon", '{"seats":1}', { "content-type": "text/plain" })).status, 200);
});

Deno.test("body() does not let a key named __proto__ past a strict schema", async () => {
  assertEquals(await outcomeOf(post("/rides", '{"seats":1,"__proto__":{"x":1}}')), "422 validation_failed");
});
