import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { sendMessage } from "../../../../shared/whatsapp/send_message.ts";
import { isSignedByMeta } from "../../../../shared/whatsapp/signature.ts";
import { NUMBER, reach, textMessage } from "../../../shared/whatsapp/reach.ts";
import { APP_SECRET } from "../../../../scripts/fakes/graph/deliver.ts";
import { type FakeGraph, type FakeGraphOptions, startFakeGraph } from "../../../../scripts/fakes/graph/fake_graph.ts";

type Json = Record<string, unknown>;

/** A webhook that keeps what it gets, as long as it is signed. */
function listener(status = () => 200) {
  const deliveries: Json[][] = [];
  return {
    deliveries,
    async target(request: Request): Promise<Response> {
      const body = new Uint8Array(await request.arrayBuffer());
      assert(await isSignedByMeta(body, request.headers.get("x-hub-signature-256")!, [APP_SECRET]));
      const answer = status();
      const { entry: [{ changes }] } = JSON.parse(new TextDecoder().decode(body));
      if (answer === 200) {
        deliveries.push(changes.flatMap((change: { value: { statuses: Json[] } }) => change.value.statuses));
      }
      return new Response(null, { status: answer });
    },
  };
}

async function graphWith(options: FakeGraphOptions, ...intents: string[]): Promise<FakeGraph> {
  const graph = startFakeGraph(options);
  for (const intent of intents) await sendMessage(reach(graph), NUMBER, textMessage(intent));
  return graph;
}

function told(deliveries: Json[][]): unknown[] {
  return deliveries.flat().map(({ biz_opaque_callback_data, status }) => `${biz_opaque_callback_data} ${status}`);
}

Deno.test("statuses are brought when asked for, each once and in order", async () => {
  const webhook = listener();
  await using graph = await graphWith({ webhook }, "a", "b");

  const before = told(webhook.deliveries);
  await graph.statuses.deliver();

  assertEquals(before, []);
  assertEquals(told(webhook.deliveries), ["a sent", "a delivered", "a read", "b sent", "b delivered", "b read"]);
  assertEquals([webhook.deliveries.length, graph.statuses.pendingCount], [6, 0]);
});

Deno.test("a status carries Meta's id, our name for the message and, twice, the price", async () => {
  const webhook = listener();
  await using graph = await graphWith({ webhook, now: () => 1_763_800_000_999 }, "a");

  await graph.statuses.deliver({ batch: 10 });

  const common = {
    id: graph.mailbox.messages[0]!.wamid,
    timestamp: "1763800000",
    recipient_id: "250788000001",
    biz_opaque_callback_data: "a",
  };
  const pricing = { billable: true, pricing_model: "PMP", type: "regular", category: "service" };
  assertEquals(webhook.deliveries, [[
    { ...common, status: "sent", pricing },
    { ...common, status: "delivered", pricing },
    { ...common, status: "read" },
  ]]);
});

Deno.test("a message's price is that of its template", async () => {
  const webhook = listener();
  const promo = { name: "promo", language: "en", category: "MARKETING", status: "APPROVED" };
  await using graph = startFakeGraph({ webhook, templates: [promo], course: () => ["sent"] });
  const template = { name: "promo", language: { code: "en" } };

  await sendMessage(reach(graph), NUMBER, textMessage("a", { type: "template", template }));
  await graph.statuses.deliver();

  assertEquals((webhook.deliveries[0]![0]!.pricing as Json).category, "marketing");
});

Deno.test("a message fails with the code that its course says", async () => {
  const webhook = listener();
  await using graph = await graphWith({ webhook, course: () => [131047] }, "a");

  await graph.statuses.deliver();

  const [[status]] = webhook.deliveries as [[{ status: string; errors: { code: number }[] }]];
  assertEquals([status.status, status.errors[0]!.code], ["failed", 131047]);
});

Deno.test("statuses come repeated, out of order and many in one delivery", async () => {
  const webhook = listener();
  const intents = ["a", "b", "c", "d"];
  await using graph = await graphWith({ webhook }, ...intents);

  await graph.statuses.deliver({ copies: 2, shuffled: true, batch: 5 });

  const ordered = intents.flatMap((intent) => ["sent", "delivered", "read"].map((status) => `${intent} ${status}`));
  assertEquals(webhook.deliveries.map((delivery) => delivery.length), [5, 5, 5, 5, 4]);
  assertEquals(told(webhook.deliveries).sort(), [...ordered, ...ordered].sort());
  assertNotEquals(told(webhook.deliveries), [...ordered, ...ordered]);
});

Deno.test("a status comes again until the webhook takes it", async () => {
  let answers = 0;
  const webhook = listener(() => ++answers === 2 ? 503 : 200);
  await using graph = await graphWith({ webhook }, "a");

  await graph.statuses.deliver();
  const first = told(webhook.deliveries);
  await graph.statuses.deliver();

  assertEquals([first, graph.statuses.pendingCount], [["a sent", "a read"], 0]);
  assertEquals(told(webhook.deliveries), ["a sent", "a read", "a delivered"]);
});

Deno.test("a status can come before the answer to the send", async () => {
  const webhook = listener();
  await using graph = startFakeGraph({ webhook, statuses: { when: "before_answer" } });
  graph.next({ accepts: true, answer: "close" });

  const result = await sendMessage(reach(graph), NUMBER, textMessage("a"));

  assertEquals(result.kind, "unknown");
  assertEquals(told(webhook.deliveries), ["a sent", "a delivered", "a read"]);
});

Deno.test("statuses can come on their own after the answer, all of them before the server has stopped", async () => {
  const webhook = listener();
  const graph = await graphWith({ webhook, statuses: { when: "after_answer", batch: 3 } }, "a");

  await graph[Symbol.asyncDispose]();

  assertEquals(told(webhook.deliveries), ["a sent", "a delivered", "a read"]);
});
