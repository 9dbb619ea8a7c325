import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { toBase64 } from "../../shared/base64.ts";

Deno.test("toBase64() encodes any bytes so that atob() gives them back", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    assertEquals(Uint8Array.from(atob(toBase64(bytes)), (char) => char.charCodeAt(0)), Uint8Array.from(bytes));
  }));
});

Deno.test("toBase64() encodes every byte on its own", () => {
  for (let byte = 0; byte < 256; byte++) {
    assertEquals(toBase64(Uint8Array.of(byte)), btoa(String.fromCharCode(byte)));
  }
});

Deno.test("toBase64() encodes more bytes than one call takes arguments", () => {
  const bytes = new Uint8Array(300_000).fill(0x90);

  assertEquals(toBase64(bytes), btoa("\x90".repeat(300_000)));
});
