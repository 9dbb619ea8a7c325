import { OFREPProvider } from "@openfeature/ofrep-provider";
import { OpenFeature } from "@openfeature/server-sdk";
import { assertEquals } from "@std/assert";
import flagEvaluation from "../../../supabase/functions/flag-evaluation/index.ts";
import { LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { outcomeOf } from "../../support/problems.ts";
import { useSettings } from "../../support/settings.ts";
import { createTokenIssuer } from "../../support/tokens.ts";
import { ask, flagTest, putFlag } from "./server.ts";

const issuer = await createTokenIssuer();
// Six a minute: one at a time, and the next ten seconds later.
useSettings({ FLAG_EVALUATION_REQUESTS_PER_MINUTE: "6", SUPABASE_JWKS: issuer.jwks });
await putFlag("shown");

const from = (address: string) => ({ headers: { "x-forwarded-for": address } });

flagTest("a client that runs wild is told to wait for whole seconds, and its neighbour is not", async () => {
  assertEquals(await outcomeOf(ask(from("192.0.2.1"))), "200");

  const refused = await ask({ key: "shown", ...from("192.0.2.1") });

  assertEquals(/^([1-9]|10)$/.test(refused.headers.get("retry-after") ?? ""), true);
  assertEquals(await outcomeOf(refused), "429 rate_limited");
  assertEquals(await outcomeOf(ask(from("192.0.2.2"))), "200");
});

flagTest("users are told apart by who they are, not by where they are", async () => {
  const as = async (sub: string) => ({
    apiKey: null,
    headers: { "authorization": `Bearer ${await issuer.sign({ sub })}`, "x-forwarded-for": "192.0.2.3" },
  });
  const [one, other] = [crypto.randomUUID(), crypto.randomUUID()];

  assertEquals(await outcomeOf(ask(await as(one))), "200");
  assertEquals(await outcomeOf(ask(await as(one))), "429 rate_limited");
  assertEquals(await outcomeOf(ask(await as(other))), "200");
});

flagTest("a secret key speaks for many: a hundred times as often", async () => {
  for (let time = 0; time < 50; time++) {
    assertEquals(await outcomeOf(ask({ apiKey: LOCAL_KEYS.secretKey, ...from("192.0.2.4") })), "200");
  }
});

flagTest("who is not let in is not counted", async () => {
  for (let time = 0; time < 3; time++) {
    assertEquals(await outcomeOf(ask({ apiKey: "sb_publishable_guess", ...from("192.0.2.5") })), "401 api_key_invalid");
  }
  assertEquals(await outcomeOf(ask(from("192.0.2.5"))), "200");
});

flagTest("OpenFeature's server SDK keeps the pause that it is asked for", async () => {
  const statuses: number[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const answer = await flagEvaluation.fetch(request);
    statuses.push(answer.status);
    return answer;
  });
  const headers: [string, string][] = [["X-API-Key", LOCAL_KEYS.publishableKey], ["X-Forwarded-For", "192.0.2.6"]];
  const baseUrl = `http://127.0.0.1:${server.addr.port}/flag-evaluation`;
  await OpenFeature.setProviderAndWait("paused", new OFREPProvider({ baseUrl, headers }));
  const client = OpenFeature.getClient("paused");

  const values = [];
  for (let time = 0; time < 4; time++) {
    values.push(await client.getBooleanValue("shown", false, { targetingKey: "p1" }));
  }

  assertEquals([values, statuses], [[true, false, false, false], [200, 429]]);
  await OpenFeature.clearProviders();
  await server.shutdown();
});
