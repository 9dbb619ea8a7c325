import { assertEquals } from "@std/assert";
import worker from "../../../supabase/functions/worker/index.ts";
import { LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { outcomeOf } from "../../support/problems.ts";
import { useSettings } from "../../support/settings.ts";
import { runRequest } from "./app.ts";
import { workerTest } from "./worker.ts";

async function outcome(query: string, init?: RequestInit): Promise<string> {
  return await outcomeOf(await worker.fetch(runRequest(query, init)));
}

const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

workerTest("POST /run is for holders of a worker's token alone", async () => {
  useSettings({ WORKER_TOKENS: "old-token, new-token" });

  assertEquals(await outcome("", bearer("old-token")), "200");
  assertEquals(await outcome("", bearer("new-token")), "200");
  assertEquals(await outcome("", bearer("local-worker-token")), "401 token_invalid");
  assertEquals(await outcome("", bearer("")), "401 credentials_missing");
  assertEquals(await outcome("", { headers: {} }), "401 credentials_missing");
  for (const key of [LOCAL_KEYS.secretKey, LOCAL_KEYS.publishableKey]) {
    assertEquals((await outcome("", { headers: { apikey: key } })).slice(0, 3), "401");
    assertEquals((await outcome("", bearer(key))).slice(0, 3), "401");
  }
});

workerTest("POST /run lets nobody in while no token is configured", async () => {
  useSettings({ WORKER_TOKENS: undefined });

  assertEquals(await outcome("", bearer("guessed")), "503 not_configured");
});

for (
  const query of [
    "?budget_seconds=0",
    "?budget_seconds=61",
    "?budget_seconds=1.5",
    "?budget_seconds=soon",
    "?wait=maybe",
    "?sources=",
    "?sources=no_such_source",
    "?sources=a,,b",
    "?unknown=1",
    "?wait=true&wait=false",
  ]
) {
  workerTest(`POST /run${query} is refused`, async () => {
    assertEquals(await outcome(query), "422 validation_failed");
  });
}

workerTest("POST /run reads no body, however much is sent", async () => {
  let pulls = 0;
  const endless = new ReadableStream({
    pull(controller) {
      pulls++;
      controller.enqueue(new Uint8Array(1024 * 1024));
    },
  });

  assertEquals(await outcome("", { ...bearer("local-worker-token"), body: endless }), "200");

  assertEquals(pulls <= 2, true);
});

workerTest("other methods are refused", async () => {
  assertEquals(await outcome("", { ...bearer("local-worker-token"), method: "GET" }), "405 method_not_allowed");
});
