import { assertEquals } from "@std/assert";
import { markRead } from "../../../shared/whatsapp/mark_read.ts";
import { startFakeGraph } from "../../../scripts/fakes/graph/fake_graph.ts";
import { serve } from "../../support/loopback.ts";
import { NUMBER, reach, reachAt } from "./reach.ts";

Deno.test("markRead() shows a message as read, and that we are writing if told so", async () => {
  await using graph = startFakeGraph();

  const results = [
    await markRead(reach(graph), NUMBER, "wamid.1"),
    await markRead(reach(graph), NUMBER, "wamid.2", { typing: true }),
  ];

  assertEquals(results, [{ kind: "done" }, { kind: "done" }]);
  assertEquals(graph.mailbox.receipts, [{ wamid: "wamid.1", typing: false }, { wamid: "wamid.2", typing: true }]);
});

Deno.test("markRead() reports refusals and doubts as sendMessage() does", async () => {
  await using graph = startFakeGraph();
  graph.next({ accepts: false, answer: { code: 131009 } }, { accepts: true, answer: "close" }, {
    accepts: true,
    answer: "no_id",
  });
  const mark = () => markRead(reach(graph), NUMBER, "wamid.1");

  assertEquals([(await mark()).kind, (await mark()).kind, (await mark()).kind], ["graph_error", "unknown", "unknown"]);
});

Deno.test("markRead() takes nothing but success for success", async () => {
  for (const answer of [{}, { success: false }, { success: "true" }, [], true]) {
    await using server = serve(() => Response.json(answer));

    assertEquals(await markRead(reachAt(server.url, server.host), NUMBER, "wamid.1"), {
      kind: "unknown",
      reason: "unreadable_answer",
    });
  }
});
