import { assertEquals } from "@std/assert";
import { credentialsOf } from "shared/http/credentials.ts";

const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";
const KEY = "sb_publishable_local";

for (
  const [name, headers, expected] of [
    ["supabase-js before anybody signed in", { apikey: KEY, authorization: `Bearer ${KEY}` }, {
      token: null,
      apikey: KEY,
    }],
    ["supabase-js with a legacy key", { apikey: JWT, authorization: `Bearer ${JWT}` }, { token: null, apikey: JWT }],
    ["supabase-js with a user", { apikey: KEY, authorization: `Bearer ${JWT}` }, { token: JWT, apikey: KEY }],
    ["a bearer in lower case", { authorization: `bearer  ${JWT}` }, { token: JWT, apikey: null }],
    ["a key as bearer", { authorization: `BEARER ${KEY}` }, { token: null, apikey: KEY }],
    ["X-API-Key", { "x-api-key": KEY }, { token: null, apikey: KEY }],
    ["X-Write-Key", { "x-write-key": " wk_1 " }, { token: null, apikey: "wk_1" }],
    ["Segment's Basic", { authorization: `Basic ${btoa("wk_1:")}` }, { token: null, apikey: "wk_1" }],
    ["Basic with a password", { authorization: `basic ${btoa("wk_1:ignored")}` }, { token: null, apikey: "wk_1" }],
    ["apikey before the others", { apikey: "a", "x-api-key": "b", "x-write-key": "c" }, { token: null, apikey: "a" }],
    ["an empty apikey", { apikey: "", "x-api-key": "b" }, { token: null, apikey: "b" }],
    ["Basic that is not base64", { authorization: "Basic %%%" }, { token: null, apikey: null }],
    ["another scheme", { authorization: "Digest x" }, { token: null, apikey: null }],
    ["a token without a scheme", { authorization: JWT }, { token: null, apikey: null }],
    ["two bearers", { authorization: `Bearer ${JWT}, Bearer ${JWT}` }, { token: null, apikey: null }],
    ["nothing", {}, { token: null, apikey: null }],
  ] as const
) {
  Deno.test(`credentialsOf() reads ${name}`, () => {
    assertEquals(credentialsOf(new Headers(headers as Record<string, string>)), expected);
  });
}
