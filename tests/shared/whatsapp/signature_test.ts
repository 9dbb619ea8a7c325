import { assert, assertFalse } from "@std/assert";
import { isSignedByMeta } from "../../../shared/whatsapp/signature.ts";
import { forge, sign } from "../../../scripts/fakes/graph/deliver.ts";

const BODY = new TextEncoder().encode(String.raw`{"text":"Muraho \ud83d\ude00 \/"}`);

Deno.test("isSignedByMeta() accepts the signature of these bytes with any of the secrets", async () => {
  for (const secret of ["old", "new"]) {
    assert(await isSignedByMeta(BODY, await sign(BODY, secret), ["old", "new"]));
  }
});

Deno.test("isSignedByMeta() knows the example of RFC 4231, section 4.3", async () => {
  const body = new TextEncoder().encode("what do ya want for nothing?");
  const signature = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

  assert(await isSignedByMeta(body, signature, ["Jefe"]));
});

Deno.test("isSignedByMeta() refuses the same JSON written otherwise", async () => {
  const rewritten = new TextEncoder().encode(JSON.stringify(JSON.parse(new TextDecoder().decode(BODY))));

  assertFalse(await isSignedByMeta(rewritten, await sign(BODY, "secret"), ["secret"]));
});

Deno.test("isSignedByMeta() refuses every forgery", async () => {
  for (const { name, bytes, signature } of await forge(BODY, "secret")) {
    assertFalse(await isSignedByMeta(bytes, signature ?? undefined, ["secret"]), name);
  }
});

Deno.test("isSignedByMeta() refuses everybody when there are no secrets", async () => {
  assertFalse(await isSignedByMeta(BODY, await sign(BODY, "secret"), []));
});
