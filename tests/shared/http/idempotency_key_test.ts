import { assertEquals } from "@std/assert";
import { createApp } from "shared/http/app.ts";
import { idempotencyKey, parseIdempotencyKey } from "shared/http/idempotency_key.ts";
import { captureLog } from "../../support/log_lines.ts";
import { codeThrownBy, outcomeOf } from "../../support/problems.ts";

captureLog();

for (
  const [header, key] of [
    ['"8e03978e-40d5-43e8-bc93-6894a57f9324"', "8e03978e-40d5-43e8-bc93-6894a57f9324"],
    ["8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"],
    [String.raw`"a\"b\\c"`, String.raw`a"b\c`],
    ['"a,b;c"', "a,b;c"],
    ["order/17:retry=1", "order/17:retry=1"],
    ["x".repeat(255), "x".repeat(255)],
  ] as const
) {
  Deno.test(`parseIdempotencyKey() reads ${header.slice(0, 40)}`, () => {
    assertEquals(parseIdempotencyKey(header), key);
  });
}

for (
  const header of [
    "",
    '""',
    "x".repeat(256),
    `"${"x".repeat(256)}"`,
    '"a", "b"',
    '"a", "a"',
    "a, a",
    "a,a",
    '"open',
    'clo"sed"',
    String.raw`"a\b"`,
    '"a";p=1',
    '"two words"',
    "two words",
    "tab\tbed",
    "é",
  ]
) {
  Deno.test(`parseIdempotencyKey() refuses ${JSON.stringify(header).slice(0, 40)}`, async () => {
    assertEquals(await codeThrownBy(() => parseIdempotencyKey(header)), "idempotency_key_invalid");
  });
}

Deno.test("idempotencyKey() gives the handler the key, refuses a second header and asks for a missing one", async () => {
  const app = createApp("example");
  app.post("/", idempotencyKey(), (c) => c.text(c.var.idempotencyKey));
  const post = async (headers: [string, string][]) => await app.request("/example", { method: "POST", headers });

  assertEquals(await (await post([["Idempotency-Key", '"k1"']])).text(), "k1");
  assertEquals(
    await outcomeOf(post([["Idempotency-Key", "k1"], ["Idempotency-Key", "k1"]])),
    "400 idempotency_key_invalid",
  );
  assertEquals(await outcomeOf(post([])), "400 idempotency_key_missing");
});
