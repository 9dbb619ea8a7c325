import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { setting, settings } from "shared/env.ts";
import { Problem } from "shared/problem.ts";
import { useSettings } from "../support/settings.ts";

useSettings({
  WHATSAPP_VERIFY_TOKEN: " local-verify-token\n",
  WHATSAPP_ACCESS_TOKEN: "",
  WHATSAPP_APP_SECRETS: "current, previous,,",
  WORKER_TOKENS: " , ",
  METRICS_TOKENS: undefined,
});

Deno.test("setting() returns the value without surrounding space", () => {
  assertEquals(setting("WHATSAPP_VERIFY_TOKEN"), "local-verify-token");
});

Deno.test("setting() takes the fallback when the value is absent or empty", () => {
  assertEquals(setting("METRICS_TOKENS", "fallback"), "fallback");
  assertEquals(setting("WHATSAPP_ACCESS_TOKEN", null), null);
});

Deno.test("setting() answers 503 not_configured and names the setting only in the cause", () => {
  const problem = assertThrows(() => setting("WHATSAPP_ACCESS_TOKEN"), Problem);

  assertEquals([problem.code, problem.status, problem.parts.detail], ["not_configured", 503, undefined]);
  assertStringIncludes(String(problem.cause), "WHATSAPP_ACCESS_TOKEN");
});

Deno.test("settings() returns every value of a plural setting", () => {
  assertEquals(settings("WHATSAPP_APP_SECRETS"), ["current", "previous"]);
});

Deno.test("settings() counts a list of nothing as absent", () => {
  assertEquals(settings("WORKER_TOKENS", []), []);
  assertEquals(settings("METRICS_TOKENS", ["local"]), ["local"]);
  assertThrows(() => settings("WORKER_TOKENS"), Problem);
  assertThrows(() => settings("METRICS_TOKENS"), Problem);
});
