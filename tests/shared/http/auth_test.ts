import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createApp } from "shared/http/app.ts";
import { auth, authenticator, type AuthMode } from "shared/http/auth.ts";
import { captureLog } from "../../support/log_lines.ts";
import { codeThrownBy, outcomeOf } from "../../support/problems.ts";
import { useSettings } from "../../support/settings.ts";
import { createTokenIssuer, USER_ID } from "../../support/tokens.ts";

const lines = captureLog();
const issuer = await createTokenIssuer();
const stranger = await createTokenIssuer();
useSettings({
  SUPABASE_URL: "http://127.0.0.1:54321",
  SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: "sb_publishable_local", mobile: "sb_publishable_mobile" }),
  SUPABASE_SECRET_KEYS: JSON.stringify({ default: "sb_secret_local", svc_dispatch: "sb_secret_dispatch" }),
  SUPABASE_JWKS: issuer.jwks,
  WORKER_TOKENS: "current-token,previous-token",
  METRICS_TOKENS: undefined,
});

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

async function callerOf(headers: Record<string, string>, ...modes: AuthMode[]): Promise<Record<string, unknown>> {
  const { claims: _, token: __, ...caller } = await authenticator(modes)(new Headers(headers)) as Record<
    string,
    unknown
  >;
  return caller;
}

async function refusalOf(headers: Record<string, string>, ...modes: AuthMode[]): Promise<string | undefined> {
  return await codeThrownBy(() => authenticator(modes)(new Headers(headers)));
}

Deno.test("auth() gives the handler the user's token and claims", async () => {
  const app = createApp("example");
  app.get("/", auth("user"), (c) => c.json([c.var.caller.mode, c.var.caller.claims.sub, c.var.caller.token]));
  const token = await issuer.sign();

  const response = await app.request("/example", { headers: bearer(token) });

  assertEquals(await response.json(), ["user", USER_ID, token]);
});

Deno.test("auth() knows keys by their names", async () => {
  assertEquals(await callerOf({ apikey: "sb_publishable_local" }, "publishable"), {
    mode: "publishable",
    name: "default",
  });
  assertEquals(await callerOf({ apikey: "sb_publishable_mobile" }, "publishable"), {
    mode: "publishable",
    name: "mobile",
  });
  assertEquals(await callerOf({ apikey: "sb_secret_local" }, "secret"), { mode: "secret", name: "default" });
  assertEquals(await callerOf(bearer("sb_secret_dispatch"), "secret:*"), { mode: "secret", name: "svc_dispatch" });
});

Deno.test("auth() lets a named secret key in only where it is named", async () => {
  assertEquals(await callerOf({ apikey: "sb_secret_dispatch" }, "secret:svc_dispatch"), {
    mode: "secret",
    name: "svc_dispatch",
  });
  assertEquals(await refusalOf({ apikey: "sb_secret_dispatch" }, "secret"), "forbidden");
});

Deno.test("auth() takes the first mode that fits", async () => {
  const user = bearer(await issuer.sign());

  assertEquals((await callerOf({ ...user, apikey: "sb_publishable_local" }, "user", "publishable")).mode, "user");
  assertEquals((await callerOf({ apikey: "sb_publishable_local" }, "user", "publishable")).mode, "publishable");
  assertEquals((await callerOf({}, "user", "none")).mode, "none");
});

Deno.test("auth() does not let a bad token down to a lesser mode", async () => {
  const headers = { ...bearer(await stranger.sign()), apikey: "sb_publishable_local" };

  assertEquals(await refusalOf(headers, "user", "publishable", "none"), "token_invalid");
});

const past = Math.floor(Date.now() / 1000) - 10;
for (
  const [name, token] of [
    ["another project's token", await stranger.sign()],
    ["an expired token", await issuer.sign({ exp: past })],
    ["a token that is not yet valid", await issuer.sign({ nbf: past + 3600 })],
    ["a token for another audience", await issuer.sign({ aud: "anon" })],
    ["a token without a subject", await issuer.sign({ sub: undefined })],
    ["an unknown key id", await issuer.sign({}, { kid: "other" })],
    ["a token whose signature was cut off", (await issuer.sign()).replace(/[^.]+$/, "")],
    [
      "alg none",
      `${btoa('{"alg":"none","kid":"test-es256"}').replace(/=/g, "")}.${btoa('{"sub":"1"}').replace(/=/g, "")}.`,
    ],
    ["text", "hello"],
  ] as const
) {
  Deno.test(`auth() refuses ${name}`, async () => {
    assertEquals(await refusalOf(bearer(token), "user"), "token_invalid");
  });
}

Deno.test("auth() refuses keys that are not ours, or of another kind", async () => {
  assertEquals(await refusalOf({ apikey: "sb_secret_wrong" }, "secret"), "api_key_invalid");
  assertEquals(await refusalOf({ apikey: "sb_publishable_local" }, "secret:*"), "api_key_invalid");
  assertEquals(await refusalOf({ apikey: "sb_secret_local" }, "publishable"), "api_key_invalid");
});

Deno.test("auth() asks for credentials where there are none that it could use", async () => {
  assertEquals(await refusalOf({}, "user", "secret"), "credentials_missing");
  assertEquals(await refusalOf({ apikey: "sb_publishable_local" }, "user"), "credentials_missing");
  assertEquals(await refusalOf(bearer(await issuer.sign()), "secret"), "credentials_missing");
});

Deno.test("auth() knows an operator by app_metadata, which users cannot write", async () => {
  const operator = bearer(await issuer.sign({ app_metadata: { role: "operator" } }));
  const pretender = bearer(await issuer.sign({ user_metadata: { role: "operator" }, role: "operator" }));

  assertEquals((await callerOf(operator, "operator")).mode, "user");
  assertEquals(await refusalOf(pretender, "operator", "secret"), "forbidden");
  assertEquals((await callerOf(pretender, "operator", "user")).mode, "user");
});

Deno.test("auth() accepts every value of a token setting, under the setting's name", async () => {
  for (const token of ["current-token", "previous-token"]) {
    assertEquals(await callerOf(bearer(token), "token:WORKER_TOKENS"), { mode: "verified", name: "worker" });
  }
  assertEquals(await refusalOf(bearer("other"), "token:WORKER_TOKENS"), "token_invalid");
  assertEquals(await refusalOf({}, "token:WORKER_TOKENS"), "credentials_missing");
});

Deno.test("auth() lets nobody in by a token setting that is absent", async () => {
  for (const token of ["", "undefined", "other"]) {
    assertEquals(await refusalOf(bearer(token), "token:METRICS_TOKENS"), "not_configured");
  }
});

Deno.test("auth() tries keys beside static tokens", async () => {
  assertEquals(await callerOf({ apikey: "sb_secret_local" }, "token:WORKER_TOKENS", "secret"), {
    mode: "secret",
    name: "default",
  });
});

Deno.test("auth() challenges as RFC 6750 says", async () => {
  const app = createApp("example");
  app.get("/", auth("user"), (c) => c.text("in"));

  const none = await app.request("/example");
  const bad = await app.request("/example", { headers: bearer("x") });

  assertEquals(none.headers.get("www-authenticate"), "Bearer");
  assertEquals(bad.headers.get("www-authenticate"), 'Bearer error="invalid_token"');
  assertEquals(await outcomeOf(none), "401 credentials_missing");
});

Deno.test("auth() says why a token was refused in the log, and never the token", async () => {
  const app = createApp("example");
  app.get("/", auth("user"), (c) => c.text("in"));
  const token = await issuer.sign({ exp: past });
  lines.clear();

  await app.request("/example", { headers: bearer(token) });

  assertMatch(String(lines.only().cause), /expired/);
  assertEquals(lines.raw.filter((line) => line.includes(token.slice(0, 20))), []);
});

Deno.test("auth() answers before the body is read", async () => {
  const app = createApp("example");
  app.post("/", auth("user"), async (c) => c.text(await c.req.text()));
  const unread = new ReadableStream({ pull: () => Promise.reject(new Error("was read")) }, { highWaterMark: 0 });

  const response = await app.request("/example", { method: "POST", body: unread });

  assertStringIncludes(await outcomeOf(response), "401");
});
