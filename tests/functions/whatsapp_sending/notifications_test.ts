import { assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { messages, text } from "../../support/deliveries.ts";
import { type Messaging, messagingTest } from "../../support/messaging.ts";
import { PHONE } from "../../sql/whatsapp_outbound/outbound.ts";
import { createPerson, notify, type Outcomes, stateOf } from "../../sql/notifications/notifications.ts";

/** A person who has just written to us. */
async function personOnWhatsApp({ sql, deliver }: Messaging): Promise<string> {
  const person = await createPerson(sql);
  await deliver(messages(text({ from: PHONE })));
  await sql`update public.whatsapp_contacts set profile_id = ${person}`;
  return person;
}

/** Each channel and what became of it: `whatsapp failed too_slow`. */
function brief(outcomes: Outcomes): string[] {
  return Object.entries(outcomes).map(([channel, { state, reason }]) =>
    [channel, state, reason].filter(Boolean).join(" ")
  );
}

/** The channel that a notification waits on, of those that are under way. */
async function channelOf(sql: Sql): Promise<string | undefined> {
  const [row] = await sql`select channel, state from public.notification_deliveries`;
  return row && `${row.channel} ${row.state}`;
}

/** What became so far of the channels of the one that is under way. */
async function outcomesOf(sql: Sql): Promise<string[]> {
  const [row] = await sql`select outcomes from public.notification_deliveries`;
  return brief(row!.outcomes);
}

/** Two minutes pass for what was handed over. */
async function loseTime(sql: Sql): Promise<void> {
  await sql`update public.notification_deliveries set scheduled_at = now() where scheduled_at < 'infinity'`;
  await sql`select private.settle_handed_over_notifications(10)`;
}

const BOTH = { category: "security", channels: ["whatsapp", "sms"] };

messagingTest(
  "a notification that arrives on WhatsApp is sent, and no other channel is tried",
  {},
  async (messaging) => {
    const { sql, graph, work, workUntil } = messaging;
    const notified = await notify(sql, await personOnWhatsApp(messaging), BOTH);

    await work();
    const handedOver = await channelOf(sql);
    await graph.statuses.deliver();
    await workUntil(async () => await channelOf(sql) === undefined);

    assertEquals([graph.mailbox.messages.length, handedOver], [1, "whatsapp handed_over"]);
    const [state, outcomes] = await stateOf(sql, notified);
    assertEquals([state, brief(outcomes), await channelOf(sql)], ["sent", ["whatsapp delivered"], undefined]);
  },
);

messagingTest(
  "a notification that Meta will not deliver goes to the next channel",
  { course: () => ["sent", 131026] },
  async (messaging) => {
    const { sql, graph, work, workUntil } = messaging;
    await notify(sql, await personOnWhatsApp(messaging), BOTH);

    await work();
    await graph.statuses.deliver();
    await workUntil(async () => await channelOf(sql) === "sms ready");

    assertEquals(await outcomesOf(sql), ["whatsapp failed recipient_unreachable"]);
  },
);

messagingTest(
  "what is critical and has not arrived in two minutes goes out on the next channel too",
  {},
  async (messaging) => {
    const { sql, workUntil } = messaging;
    await notify(sql, await personOnWhatsApp(messaging), BOTH);
    await workUntil(async () => (await outcomesOf(sql)).length > 0);

    await loseTime(sql);

    assertEquals(await channelOf(sql), "sms ready");
  },
);

messagingTest("what is critical and waits in the queue is withdrawn from it, and never sent", {}, async (messaging) => {
  const { sql, graph, work } = messaging;
  await notify(sql, await personOnWhatsApp(messaging), BOTH);
  await work("?sources=notifications");

  await loseTime(sql);
  await work();

  assertEquals([graph.mailbox.messages, await channelOf(sql)], [[], "sms ready"]);
  const [message] = await sql`select state from public.whatsapp_message_queue_history`;
  assertEquals(message!.state, "cancelled");
});

messagingTest("who says STOP is notified on the next channel", {}, async (messaging) => {
  const { sql, graph, deliver, work, workUntil } = messaging;
  await notify(sql, await personOnWhatsApp(messaging), BOTH);
  await work("?sources=notifications");

  await deliver(messages(text({ from: PHONE, text: { body: "STOP" } })));
  await workUntil(async () => await channelOf(sql) === "sms ready");

  assertEquals([graph.mailbox.messages, await outcomesOf(sql)], [[], ["whatsapp failed recipient_opted_out"]]);
});
