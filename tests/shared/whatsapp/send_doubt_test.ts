import { assertEquals } from "@std/assert";
import { sendMessage } from "../../../shared/whatsapp/send_message.ts";
import { DOUBTS, REFUSALS } from "../../../scripts/fakes/graph/choose_misbehaviour.ts";
import { LASTING_ANSWERS } from "../../../scripts/fakes/graph/misbehaviour.ts";
import { startFakeGraph } from "../../../scripts/fakes/graph/fake_graph.ts";
import { NUMBER, reach, textMessage, until } from "./reach.ts";

for (const { accepts, answer } of DOUBTS) {
  const name = typeof answer === "string" ? answer : JSON.stringify(answer);
  Deno.test(`sendMessage() does not know after ${name}, ${accepts ? "sent" : "not sent"}, and asks once`, async () => {
    await using graph = startFakeGraph();
    const api = reach(graph);
    // Deno asks again on its own on a connection that was in use before.
    await sendMessage(api, NUMBER, textMessage("before"));
    graph.next({ accepts, answer });

    const patience = new AbortController();
    const result = sendMessage(api, NUMBER, textMessage("doubtful"), { signal: patience.signal });
    if (LASTING_ANSWERS.includes(answer)) await until(() => graph.misbehaved === 1).then(() => patience.abort());

    assertEquals((await result).kind, "unknown");
    assertEquals(graph.requests.length, 2);
    assertEquals(graph.mailbox.messages.map(({ intent }) => intent), accepts ? ["before", "doubtful"] : ["before"]);
  });
}

Deno.test("sendMessage() knows each of Meta's refusals by its code and status", async () => {
  await using graph = startFakeGraph();
  const api = reach(graph);
  graph.next(...REFUSALS);

  for (const { answer } of REFUSALS) {
    const result = await sendMessage(api, NUMBER, textMessage());

    assertEquals([result.kind, (result as { code?: number }).code], ["graph_error", (answer as { code: number }).code]);
  }
  assertEquals(graph.mailbox.messages, []);
});
