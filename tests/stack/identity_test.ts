import { assertEquals, assertRejects } from "@std/assert";
import { UnsecuredJWT } from "jose";
import { createIdentify, type Identity } from "../../scripts/stack/identity.ts";
import { ApiError } from "../../scripts/stack/rpc/errors.ts";
import { signToken } from "./rpc/service.ts";

const KEYS = {
  publishableKey: "sb_publishable_test",
  secretKey: "sb_secret_test",
  jwtSecret: "a secret of these tests with more than 32 characters",
};
const identify = createIdentify(KEYS);
const NOW = Math.floor(Date.now() / 1000);

function identityOf(headers: HeadersInit): Promise<Identity> {
  return identify(new Request("http://127.0.0.1/rest/v1/rpc/f", { headers }));
}

async function refusalOf(headers: HeadersInit): Promise<[status: number, code: string]> {
  const { status, code } = await assertRejects(() => identityOf(headers), ApiError);
  return [status, code];
}

function sign(claims: Record<string, unknown>): Promise<string> {
  return signToken(claims, KEYS.jwtSecret);
}

async function bearer(claims: Record<string, unknown>): Promise<HeadersInit> {
  return { apikey: KEYS.publishableKey, authorization: `Bearer ${await sign(claims)}` };
}

Deno.test("identify() takes the publishable key for anon and the secret key for service_role", async () => {
  assertEquals(await identityOf({ apikey: KEYS.publishableKey }), { role: "anon", claims: { role: "anon" } });
  assertEquals((await identityOf({ apikey: KEYS.secretKey })).role, "service_role");
});

Deno.test("identify() takes a key sent as a bearer token, as supabase-js sends it beside the same apikey", async () => {
  assertEquals((await identityOf({ authorization: `Bearer ${KEYS.secretKey}` })).role, "service_role");
  const both = { apikey: KEYS.publishableKey, authorization: `Bearer ${KEYS.publishableKey}` };
  assertEquals((await identityOf(both)).role, "anon");
});

Deno.test("identify() takes a user's token over the key beside it", async () => {
  const token = await sign({ role: "authenticated", sub: "u-1" });
  for (const apikey of [KEYS.publishableKey, KEYS.secretKey]) {
    assertEquals(await identityOf({ apikey, authorization: `bearer ${token}` }), {
      role: "authenticated",
      claims: { role: "authenticated", sub: "u-1" },
    });
  }
});

Deno.test("identify() takes a token without role for anon", async () => {
  assertEquals(await identityOf(await bearer({ sub: "u-1" })), { role: "anon", claims: { sub: "u-1", role: "anon" } });
});

Deno.test("identify() takes legacy anon and service_role tokens as keys, but no user's", async () => {
  assertEquals((await identityOf({ apikey: await sign({ role: "anon" }) })).role, "anon");
  assertEquals((await identityOf({ apikey: await sign({ role: "service_role" }) })).role, "service_role");
  assertEquals(await refusalOf({ apikey: await sign({ role: "authenticated" }) }), [401, "PGRST301"]);
});

Deno.test("identify() ignores other ways to authenticate", async () => {
  assertEquals((await identityOf({ apikey: KEYS.publishableKey, authorization: "Basic dTpw" })).role, "anon");
});

Deno.test("identify() refuses a request without credentials", async () => {
  assertEquals(await refusalOf({}), [401, "PGRST302"]);
});

Deno.test("identify() refuses keys of other projects", async () => {
  for (const key of ["sb_publishable_other", "sb_secret_other", "anything", ""]) {
    assertEquals(await refusalOf({ apikey: key }), [401, "PGRST301"]);
  }
  assertEquals(await refusalOf({ authorization: "Bearer sb_secret_other" }), [401, "PGRST301"]);
});

Deno.test("identify() refuses a wrong key even beside a good token", async () => {
  const { authorization } = await bearer({ role: "authenticated" }) as Record<string, string>;
  assertEquals(await refusalOf({ apikey: "sb_publishable_other", authorization: authorization! }), [401, "PGRST301"]);
});

Deno.test("identify() refuses another key as a bearer token than the one in apikey", async () => {
  const headers = { apikey: KEYS.publishableKey, authorization: `Bearer ${KEYS.secretKey}` };
  assertEquals(await refusalOf(headers), [401, "PGRST301"]);
});

Deno.test("identify() refuses a token that does not verify instead of taking its bearer for anon", async () => {
  const forged = await signToken({ role: "service_role" }, "another secret with more than 32 characters in it");
  const tokens = ["", "a.b", "a.b.c", forged, forged.slice(0, -2)];
  for (const token of tokens) {
    const headers = { apikey: KEYS.publishableKey, authorization: `Bearer ${token}` };
    assertEquals(await refusalOf(headers), [401, "PGRST301"], token);
  }
});

Deno.test("identify() refuses an unsigned token", async () => {
  const unsigned = new UnsecuredJWT({ role: "service_role" }).encode();

  const headers = { apikey: KEYS.publishableKey, authorization: `Bearer ${unsigned}` };
  assertEquals(await refusalOf(headers), [401, "PGRST301"]);
});

Deno.test("identify() refuses a token outside its time, with 30 seconds of grace", async () => {
  for (const claims of [{ exp: NOW - 60 }, { nbf: NOW + 60 }, { iat: NOW + 60 }]) {
    assertEquals(await refusalOf(await bearer({ role: "authenticated", ...claims })), [401, "PGRST303"]);
  }
  for (const claims of [{ exp: NOW - 10 }, { nbf: NOW + 10 }, { iat: NOW + 10 }]) {
    assertEquals((await identityOf(await bearer({ role: "authenticated", ...claims }))).role, "authenticated");
  }
});

Deno.test("identify() refuses claims of the wrong type", async () => {
  for (const claims of [{ exp: "tomorrow" }, { nbf: "now" }, { iat: "now" }]) {
    assertEquals(await refusalOf(await bearer({ role: "authenticated", ...claims })), [401, "PGRST303"]);
  }
});

Deno.test("identify() lets nobody become another role", async () => {
  for (const role of ["postgres", "supabase_admin", "authenticator", "ANON", 7]) {
    assertEquals(await refusalOf(await bearer({ role })), [403, "42501"]);
  }
});

Deno.test("identify() tells a client why its token was refused", async () => {
  const expired = await assertRejects(async () => identityOf(await bearer({ exp: NOW - 60 })), ApiError);

  assertEquals(
    expired.toResponse().headers.get("www-authenticate"),
    'Bearer error="invalid_token", error_description="JWT expired"',
  );
});
