import { assertEquals } from "@std/assert";
import { asSha256Hex, sha256Hex } from "../../../shared/whatsapp/sha256.ts";

/** FIPS 180-2, example B.1. */
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

Deno.test("sha256Hex() knows the standard's example", async () => {
  assertEquals(await sha256Hex(new TextEncoder().encode("abc")), ABC);
});

Deno.test("asSha256Hex() reads both of Meta's spellings", () => {
  assertEquals(asSha256Hex(ABC), ABC);
  assertEquals(asSha256Hex(ABC.toUpperCase()), ABC);
  assertEquals(asSha256Hex("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="), ABC);
});

Deno.test("asSha256Hex() takes nothing else", () => {
  for (const text of ["", "abc", ABC.slice(1), `${ABC}0`, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa", `${ABC}\n`]) {
    assertEquals(asSha256Hex(text), undefined, text);
  }
});
