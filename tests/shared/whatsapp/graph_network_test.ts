import { assertEquals } from "@std/assert";
import { sendMessage } from "../../../shared/whatsapp/send_message.ts";
import { startFakeGraph } from "../../../scripts/fakes/graph/fake_graph.ts";
import { serve } from "../../support/loopback.ts";
import { NUMBER, reachAt, textMessage } from "./reach.ts";

async function outcomeAt(url: string, ...allowed: string[]): Promise<string> {
  const result = await sendMessage(reachAt(url, ...allowed), NUMBER, textMessage(), { timeoutMs: 5_000 });
  return `${result.kind} ${"reason" in result ? result.reason : ""}`;
}

Deno.test("sendMessage() has not sent to a host without an address", async () => {
  assertEquals(await outcomeAt("https://graph.invalid/v26.0", "graph.invalid"), "not_sent dns_failed");
});

Deno.test("sendMessage() has not sent to a port that nobody listens on", async () => {
  const gone = serve(() => new Response());
  await gone[Symbol.asyncDispose]();

  assertEquals(await outcomeAt(gone.url, gone.host), "not_sent connect_failed");
});

Deno.test("sendMessage() has not sent to a host that does not speak TLS", async () => {
  await using graph = startFakeGraph();

  assertEquals(await outcomeAt(`https://${graph.host}`, graph.host), "not_sent tls_failed");
  assertEquals(graph.requests, []);
});

Deno.test("sendMessage() has not sent to a host that is not on the list", async () => {
  await using graph = startFakeGraph();

  assertEquals(await outcomeAt(graph.url, "graph.facebook.com"), "not_sent address_refused");
  assertEquals(graph.requests, []);
});

Deno.test("sendMessage() follows no redirect, so the token stays with Meta", async () => {
  const tokens: (string | null)[] = [];
  await using thief = serve((request) => {
    tokens.push(request.headers.get("authorization"));
    return Response.json({ messages: [{ id: "wamid.stolen" }] });
  });

  for (const status of [301, 302, 303, 307, 308]) {
    await using moved = serve(() => new Response(null, { status, headers: { location: thief.url } }));

    assertEquals(await outcomeAt(moved.url, moved.host, thief.host), "unknown unreadable_answer");
  }
  assertEquals(tokens, []);
});

Deno.test("sendMessage() does not wait for an answer beyond its time limit", async () => {
  await using graph = startFakeGraph();
  graph.next({ accepts: true, answer: "silence" }, { accepts: true, answer: "dripping" });
  const api = reachAt(graph.url, graph.host);

  const silent = await sendMessage(api, NUMBER, textMessage(), { timeoutMs: 200 });
  const slow = await sendMessage(api, NUMBER, textMessage(), { timeoutMs: 200 });

  assertEquals([silent, slow], Array(2).fill({ kind: "unknown", reason: "timeout" }));
});

Deno.test("sendMessage() does not read an answer without end", async () => {
  await using graph = startFakeGraph();
  graph.next({ accepts: true, answer: "endless" });

  assertEquals(await outcomeAt(graph.url, graph.host), "unknown answer_too_large");
});
