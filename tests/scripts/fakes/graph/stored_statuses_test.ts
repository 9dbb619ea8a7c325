import { assertEquals } from "@std/assert";
import { sendMessage } from "../../../../shared/whatsapp/send_message.ts";
import webhook from "../../../../supabase/functions/whatsapp-webhook/index.ts";
import { NUMBER, reach, textMessage } from "../../../shared/whatsapp/reach.ts";
import { webhookTest } from "../../../support/webhook.ts";
import { startFakeGraph } from "../../../../scripts/fakes/graph/fake_graph.ts";

webhookTest("FakeGraph's statuses are such as the webhook stores, whatever their order", async ({ sql }) => {
  await using graph = startFakeGraph({
    webhook: { target: (request) => webhook.fetch(request) },
    course: ({ intent }) => intent === "failing" ? [131026] : ["sent", "delivered", "read"],
  });
  const user = { to: undefined, recipient: "RW.13491208655302741918" };
  const bodies = [textMessage("phone"), textMessage("user", user), textMessage("failing")];
  for (const body of bodies) await sendMessage(reach(graph), NUMBER, body);

  await graph.statuses.deliver({ copies: 2, shuffled: true, batch: 4 });

  assertEquals(graph.statuses.pendingCount, 0);
  const outcomes = await sql`select distinct outcome::text from public.whatsapp_delivery_items order by 1`;
  assertEquals(outcomes.map(({ outcome }) => outcome), ["duplicate", "stored"]);
  const stored = await sql`select wamid, status::text from public.whatsapp_message_statuses`;
  assertEquals(
    Object.fromEntries(stored.map(({ wamid, status }) => [wamid, status])),
    Object.fromEntries(
      graph.mailbox.messages.map(({ wamid, intent }) => [wamid, intent === "failing" ? "failed" : "read"]),
    ),
  );
});
