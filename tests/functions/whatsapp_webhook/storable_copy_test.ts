import { assertEquals } from "@std/assert";
import { storableCopy } from "../../../supabase/functions/whatsapp-webhook/storable_copy.ts";
import { bytesOf } from "../../support/deliveries.ts";

for (
  const [name, body, expected] of [
    ["plain JSON", '{"a":"é \\u00e9"}', undefined],
    ["a whole surrogate pair", '{"a":"\\ud83d\\ude00"}', undefined],
    ["an escaped backslash before u0000", '{"a":"\\\\u0000"}', undefined],
    ["no JSON", "\\u0000", undefined],
    ["a NUL in a value", '{"a":["x\\u0000y"]}', { a: ["x\ufffdy"] }],
    ["a NUL in a key", '{"a\\u0000":1}', { "a\ufffd": 1 }],
    ["half a surrogate pair", '["\\ude00\\ud83d"]', ["\ufffd\ufffd"]],
    ["too many levels", `${"[".repeat(2_000)}"\\u0000"${"]".repeat(2_000)}`, undefined],
  ] as const
) {
  Deno.test(`storableCopy() of ${name} is ${expected ? "repaired" : "not needed or not to be had"}`, () => {
    assertEquals(storableCopy(bytesOf(body)), expected as never);
  });
}
