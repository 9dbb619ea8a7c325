import { assert, assertEquals } from "@std/assert";
import { sendMessage } from "../../../shared/whatsapp/send_message.ts";
import { startFakeGraph } from "../../../scripts/fakes/graph/fake_graph.ts";
import { serve } from "../../support/loopback.ts";
import { NUMBER, reach, reachAt, textMessage, until } from "./reach.ts";

Deno.test("sendMessage() gives the message's id and Meta's names for the recipient", async () => {
  await using graph = startFakeGraph();

  const toPhone = await sendMessage(reach(graph), NUMBER, textMessage("to a phone"));
  const user = { to: undefined, recipient: "RW.13491208655302741918" };
  const toUser = await sendMessage(reach(graph), NUMBER, textMessage("to a user", user));

  assertEquals([toPhone, toUser], [
    {
      kind: "accepted",
      wamid: graph.mailbox.messages[0]!.wamid,
      recipient: { wa_id: "250788000001", user_id: null },
      message_status: "accepted",
    },
    {
      kind: "accepted",
      wamid: graph.mailbox.messages[1]!.wamid,
      recipient: { wa_id: null, user_id: "RW.13491208655302741918" },
      message_status: "accepted",
    },
  ]);
});

Deno.test("sendMessage() posts the body as it was prepared, with our token", async () => {
  await using graph = startFakeGraph();
  const body = textMessage("intent-7", { text: { body: 'Bite? \u{1F600} \\ "/' } });

  await sendMessage(reach(graph), NUMBER, body);

  assertEquals(graph.requests, [`POST /${NUMBER}/messages`]);
  assertEquals(graph.mailbox.messages.map((message) => message.body), [body]);
});

async function answered(body: unknown) {
  await using server = serve(() => Response.json(body));
  return await sendMessage(reachAt(server.url, server.host), NUMBER, textMessage());
}

Deno.test("sendMessage() tells of a message that is held or paused, and takes a new word for accepted", async () => {
  const statuses = ["held_for_quality_assessment", "paused", "pondered", undefined];

  const found = await Promise.all(
    statuses.map((message_status) => answered({ messages: [{ id: "w", message_status }] })),
  );

  assertEquals(found.map((result) => result.kind === "accepted" && result.message_status), [
    "held_for_quality_assessment",
    "paused",
    "accepted",
    "accepted",
  ]);
});

Deno.test("sendMessage() needs nothing of the answer but the message's id", async () => {
  for (const contacts of [undefined, null, [], [{}], "x", [{ wa_id: "", user_id: 7 }]]) {
    assertEquals(await answered({ contacts, messages: [{ id: "wamid.1" }] }), {
      kind: "accepted",
      wamid: "wamid.1",
      recipient: { wa_id: null, user_id: null },
      message_status: "accepted",
    });
  }
});

Deno.test("sendMessage() does not know what became of a message without an id", async () => {
  const bodies = [{}, [], 7, null, { messages: [] }, { messages: [{}] }, { messages: [{ id: "" }] }, {
    error: { code: 1 },
  }];

  for (const body of bodies) {
    assertEquals(await answered(body), { kind: "unknown", reason: "no_message_id" });
  }
});

Deno.test("sendMessage() reports an error of Graph with what it asks to wait", async () => {
  await using graph = startFakeGraph();
  graph.next({ accepts: false, answer: { code: 80007, retryAfter: 30, details: "Slow down" } });

  assertEquals(await sendMessage(reach(graph), NUMBER, textMessage()), {
    kind: "graph_error",
    http_status: 429,
    code: 80007,
    subcode: null,
    title: "Rate limit issues",
    details: "Slow down",
    fbtrace_id: "AbCdEfGhIjKlMnOpQrStUv1",
    is_transient: false,
    retry_after: 30,
  });
});

Deno.test("sendMessage() tells budgets what Meta says of its limits", async () => {
  const headers = { "x-app-usage": `{"call_count":81,"total_time":2,"total_cputime":3}` };
  await using server = serve(() => Response.json({ messages: [{ id: "wamid.1" }] }, { headers }));
  const heard: number[] = [];
  const api = {
    ...reachAt(server.url, server.host),
    onUsage: ([limit]: { call_percent: number }[]) => void heard.push(limit!.call_percent),
  };

  await sendMessage(api, NUMBER, textMessage());

  assertEquals(heard, [81]);
});

Deno.test("sendMessage() has not sent what cannot be asked for", async () => {
  await using graph = startFakeGraph();
  const api = reach(graph);
  const invalid = { kind: "not_sent", reason: "invalid_request" } as const;

  for (const id of ["", "..", "1/2", "1?x=", "1#", "é", "%2e%2e", "1".repeat(129)]) {
    assertEquals(await sendMessage(api, id, textMessage()), invalid);
  }
  assertEquals(await sendMessage({ ...api, token: "a\nb" }, NUMBER, textMessage()), invalid);
  assertEquals(await sendMessage({ ...api, url: "graph" }, NUMBER, textMessage()), invalid);
  assertEquals(graph.requests, []);
});

Deno.test("sendMessage() has not sent what was given up before", async () => {
  await using graph = startFakeGraph();

  const signal = AbortSignal.abort();

  assertEquals(await sendMessage(reach(graph), NUMBER, textMessage(), { signal }), {
    kind: "not_sent",
    reason: "aborted",
  });
  assertEquals(graph.requests, []);
});

Deno.test("sendMessage() does not know of what was given up on the way", async () => {
  await using graph = startFakeGraph();
  const worker = new AbortController();
  graph.next({ accepts: true, answer: "silence" });

  const result = sendMessage(reach(graph), NUMBER, textMessage(), { signal: worker.signal });
  await until(() => graph.mailbox.messages.length === 1);
  worker.abort();

  assertEquals(await result, { kind: "unknown", reason: "aborted" });
});

Deno.test("sendMessage() takes an address with or without a slash at its end", async () => {
  await using graph = startFakeGraph();

  const result = await sendMessage({ ...reach(graph), url: `${graph.url}/` }, NUMBER, textMessage());

  assert(result.kind === "accepted");
});
