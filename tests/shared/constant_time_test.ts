import { assertEquals } from "@std/assert";
import { indexOfSecret } from "shared/constant_time.ts";

Deno.test("indexOfSecret() finds the secret that is equal", async () => {
  assertEquals(await indexOfSecret("previous", ["current", "previous"]), 1);
});

Deno.test("indexOfSecret() finds none in a prefix, a longer value, nothing or an empty list", async () => {
  for (const given of ["curren", "currentt", "", "Current"]) assertEquals(await indexOfSecret(given, ["current"]), -1);
  assertEquals(await indexOfSecret("current", []), -1);
});
