import { assert, assertEquals } from "@std/assert";
import { NUMBER, reach, textMessage } from "../../../shared/whatsapp/reach.ts";
import { sendMessage } from "../../../../shared/whatsapp/send_message.ts";
import { type FakeGraph, startFakeGraph } from "../../../../scripts/fakes/graph/fake_graph.ts";
import { until } from "../../../support/until.ts";

/** The code that Graph answers a body with, or its status where it takes it. */
async function outcomeOf(graph: FakeGraph, body: unknown, init: RequestInit = {}): Promise<number> {
  const answer = await fetch(`${graph.url}/${NUMBER}/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${graph.token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    ...init,
  });
  const json = await answer.json();
  return json.error?.code ?? answer.status;
}

Deno.test("FakeGraph answers nobody without the token", async () => {
  await using graph = startFakeGraph();
  const headers = (authorization: string) => ({ headers: { authorization, "content-type": "application/json" } });

  assertEquals(await outcomeOf(graph, textMessage(), headers("")), 190);
  assertEquals(await outcomeOf(graph, textMessage(), headers("Bearer another")), 190);
  assertEquals(graph.mailbox.messages, []);
});

Deno.test("FakeGraph remembers messages by what we call them, and which of them it took twice", async () => {
  await using graph = startFakeGraph();

  for (const intent of ["a", "b", "a", "c", "a"]) await sendMessage(reach(graph), NUMBER, textMessage(intent));

  assertEquals(graph.mailbox.messages.map(({ intent }) => intent), ["a", "b", "a", "c", "a"]);
  assertEquals(graph.mailbox.doubles(), ["a"]);
  assertEquals(new Set(graph.mailbox.messages.map(({ wamid }) => wamid)).size, 5);
});

const BODIES: Record<string, [body: unknown, outcome: number]> = {
  "a text": [textMessage(), 200],
  "a template": [textMessage("t", { type: "template", template: { name: "x", language: { code: "en" } } }), 200],
  "a phone number without plus": [textMessage("t", { to: "250788000001" }), 200],
  "a user id": [textMessage("t", { to: undefined, recipient: "RW.ENT.abc123" }), 200],
  "no JSON": ["{", 100],
  "another product": [textMessage("t", { messaging_product: "sms" }), 100],
  "nobody": [textMessage("t", { to: undefined }), 131008],
  "a name": [textMessage("t", { to: "Mama Bebe" }), 131009],
  "a phone number as user id": [textMessage("t", { to: undefined, recipient: "250788000001" }), 131009],
  "a type that is none": [textMessage("t", { type: "flow", flow: {} }), 131009],
  "no content": [textMessage("t", { text: undefined }), 131008],
  "content of another type": [textMessage("t", { type: "image" }), 131008],
  "too long a name of ours": [textMessage("x".repeat(513)), 131009],
};

for (const [name, [body, outcome]] of Object.entries(BODIES)) {
  Deno.test(`FakeGraph answers a message with ${name} by ${outcome}`, async () => {
    await using graph = startFakeGraph();

    assertEquals(await outcomeOf(graph, body, body === "{" ? { body: "{" } : {}), outcome);
    assertEquals(graph.mailbox.messages.length, outcome === 200 ? 1 : 0);
  });
}

Deno.test("FakeGraph takes a user id in `to` as Meta does: it never arrives", async () => {
  await using graph = startFakeGraph();

  assertEquals(await outcomeOf(graph, textMessage("lost", { to: "RW.13491208655302741918" })), 200);

  assertEquals(graph.statuses.pendingCount, 0);
});

Deno.test("FakeGraph lets 80 messages of a number through in a second", async () => {
  let now = 1_763_800_000_000;
  await using graph = startFakeGraph({ limits: { perSecond: 80 }, now: () => now });
  const send = () => outcomeOf(graph, textMessage());

  const burst = await Promise.all(Array.from({ length: 81 }, send));
  now += 25;

  assertEquals(burst.filter((outcome) => outcome === 130429).length, 1);
  assertEquals([await send(), await send(), await send()], [200, 200, 130429]);
  now += 1_000;
  assertEquals((await Promise.all(Array.from({ length: 80 }, send))).filter((outcome) => outcome === 200).length, 80);
});

Deno.test("FakeGraph lets 45 messages to a person through at once, then one in 6 seconds", async () => {
  let now = 1_763_800_000_000;
  await using graph = startFakeGraph({ limits: { pairs: true }, now: () => now });
  const send = (to: string) => outcomeOf(graph, textMessage("t", { to }));

  const burst = await Promise.all(Array.from({ length: 46 }, () => send("+250788000001")));
  now += 5_999;
  const early = await send("+250788000001");
  now += 1;

  assertEquals([burst.filter((outcome) => outcome === 131056).length, early], [1, 131056]);
  assertEquals([await send("+250788000001"), await send("+250788000002")], [200, 200]);
});

Deno.test("FakeGraph stops although somebody still waits for an answer", async () => {
  const graph = startFakeGraph();
  graph.next({ accepts: true, answer: "silence" });
  const waiting = sendMessage(reach(graph), NUMBER, textMessage());
  await until(() => graph.misbehaved > 0, "the request has come");

  await graph[Symbol.asyncDispose]();

  assert((await waiting).kind === "unknown");
});
