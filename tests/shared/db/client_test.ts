import { assertEquals } from "@std/assert";
import { apiKeys } from "shared/db/client.ts";
import { codeThrownBy } from "../../support/problems.ts";
import { useSettings } from "../../support/settings.ts";

const settings: Record<string, string | undefined> = {};
useSettings(settings);

function given(values: Record<string, string>): void {
  for (const kind of ["PUBLISHABLE", "SECRET"]) {
    settings[`SUPABASE_${kind}_KEYS`] = settings[`SUPABASE_${kind}_KEY`] = undefined;
  }
  Object.assign(settings, { SUPABASE_ANON_KEY: undefined, SUPABASE_SERVICE_ROLE_KEY: undefined }, values);
}

Deno.test("apiKeys() reads the platform's keys by name", () => {
  given({
    SUPABASE_SECRET_KEYS: '{"default":"sb_secret_a","svc_dispatch":"sb_secret_b"}',
    SUPABASE_SECRET_KEY: "ignored",
  });

  assertEquals(apiKeys("secret"), { default: "sb_secret_a", svc_dispatch: "sb_secret_b" });
});

Deno.test("apiKeys() falls back to a single key, then to the legacy one", () => {
  given({ SUPABASE_PUBLISHABLE_KEY: "sb_publishable_a", SUPABASE_ANON_KEY: "legacy" });
  assertEquals(apiKeys("publishable"), { default: "sb_publishable_a" });

  given({ SUPABASE_SERVICE_ROLE_KEY: "legacy" });
  assertEquals(apiKeys("secret"), { default: "legacy" });
});

Deno.test("apiKeys() sees a rotated key", () => {
  given({ SUPABASE_SECRET_KEYS: '{"default":"old"}' });
  apiKeys("secret");
  given({ SUPABASE_SECRET_KEYS: '{"default":"new"}' });

  assertEquals(apiKeys("secret"), { default: "new" });
});

for (const raw of ["{", "[]", '"sb_secret"', "null"]) {
  Deno.test(`apiKeys() refuses ${raw} as a set of keys`, async () => {
    given({ SUPABASE_SECRET_KEYS: raw });

    assertEquals(await codeThrownBy(() => apiKeys("secret")), "not_configured");
  });
}

Deno.test("apiKeys() refuses to go on without any key", async () => {
  given({});

  assertEquals(await codeThrownBy(() => apiKeys("secret")), "not_configured");
});
