import { OFREPProvider } from "@openfeature/ofrep-provider";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { OpenFeature as ServerFeature } from "@openfeature/server-sdk";
import { OpenFeature as WebFeature, ProviderEvents, ProviderStatus } from "@openfeature/web-sdk";
import { createClient } from "@supabase/supabase-js";
import { assertEquals, assertRejects } from "@std/assert";
import flagEvaluation from "../../../supabase/functions/flag-evaluation/index.ts";
import { LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { eventually, flagTest, putFlag, url } from "./server.ts";

await putFlag("shown");
await putFlag("rwanda", {
  rules: [{ conditions: [{ attribute: "country", operator: "IN", values: ["RW"] }], variant: "on" }],
});
await putFlag("half", { rules: [{ rollout: { percentage: 50 }, variant: "on" }] });

const statuses: number[] = [];
const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
  const answer = await flagEvaluation.fetch(request);
  statuses.push(answer.status);
  return answer;
});
const baseUrl = `http://127.0.0.1:${server.addr.port}/flag-evaluation`;

function headersWith(apiKey: string): [string, string][] {
  return [["X-API-Key", apiKey]];
}

flagTest("OpenFeature's server SDK evaluates one flag at a time", async () => {
  await ServerFeature.setProviderAndWait(
    "server",
    new OFREPProvider({ baseUrl, headers: headersWith(LOCAL_KEYS.secretKey) }),
  );
  const client = ServerFeature.getClient("server");

  const match = await client.getBooleanDetails("rwanda", false, { country: "RW", targetingKey: "p1" });
  const missing = await client.getBooleanDetails("unknown", true, { targetingKey: "p1" });
  const keyless = await client.getBooleanDetails("half", false, {});

  assertEquals([match.value, match.reason, match.variant], [true, "TARGETING_MATCH", "on"]);
  assertEquals([missing.value, missing.errorCode], [true, "FLAG_NOT_FOUND"]);
  assertEquals([keyless.value, keyless.errorCode], [false, "TARGETING_KEY_MISSING"]);
});

flagTest("OpenFeature's web SDK polls with 304, follows its context, and hears of changes", async () => {
  const provider = new OFREPWebProvider(
    {
      baseUrl,
      headers: headersWith(LOCAL_KEYS.publishableKey),
      pollInterval: 200,
      cacheMode: "disabled",
    } as ConstructorParameters<typeof OFREPWebProvider>[0],
  );
  const changes: string[][] = [];
  await WebFeature.setContext("web", { targetingKey: "p1", country: "UG" });
  await WebFeature.setProviderAndWait("web", provider);
  const client = WebFeature.getClient("web");
  client.addHandler(ProviderEvents.ConfigurationChanged, (event) => void changes.push(event?.flagsChanged ?? []));

  try {
    assertEquals(client.getBooleanValue("rwanda", true), false);
    await WebFeature.setContext("web", { targetingKey: "p1", country: "RW" });
    assertEquals(client.getBooleanDetails("rwanda", false).reason, "TARGETING_MATCH");
    assertEquals(await eventually(() => Promise.resolve(statuses.includes(304))), true);

    await putFlag("shown", { isEnabled: false });

    assertEquals(await eventually(() => Promise.resolve(changes.some((keys) => keys.includes("shown"))), 4_000), true);
    assertEquals(client.getBooleanValue("shown", true), false);
  } finally {
    await WebFeature.clearProviders();
  }
});

flagTest("OpenFeature's web SDK gives up for good on a key that is not accepted", async () => {
  const provider = new OFREPWebProvider(
    { baseUrl, headers: headersWith("sb_publishable_guess"), cacheMode: "disabled" } as ConstructorParameters<
      typeof OFREPWebProvider
    >[0],
  );

  await assertRejects(() => WebFeature.setProviderAndWait("refused", provider));

  assertEquals(WebFeature.getClient("refused").providerStatus, ProviderStatus.FATAL);
  await WebFeature.clearProviders();
});

flagTest("functions.invoke() of supabase-js evaluates one flag and all of them", async () => {
  const { functions } = createClient(url, LOCAL_KEYS.publishableKey, { auth: { persistSession: false } });
  const body = { context: { targetingKey: "p1", country: "RW" } };

  const one = await functions.invoke("flag-evaluation/ofrep/v1/evaluate/flags/rwanda", { body });
  const all = await functions.invoke("flag-evaluation/production/ofrep/v1/evaluate/flags", { body });

  assertEquals([one.error, one.data.value, one.data.reason], [null, true, "TARGETING_MATCH"]);
  assertEquals(all.data.flags.map(({ key }: { key: string }) => key), ["half", "rwanda", "shown"]);
});
