import { assert, assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { messages, NUMBER, text } from "../../support/deliveries.ts";
import { messagingTest } from "../../support/messaging.ts";
import { useSettings } from "../../support/settings.ts";
import {
  enqueue,
  enqueueTemplate,
  OTHER_PHONE,
  outbound,
  outcomeOf,
  passTime,
  PHONE,
  template,
} from "../../sql/whatsapp_outbound/outbound.ts";

/** The day after somebody wrote to us begins. */
async function closeWindows(sql: Sql): Promise<void> {
  await sql`update public.whatsapp_sessions set last_inbound_at = now() - interval '1 day', window_expires_at = now()`;
}

/** Enqueues so many texts to somebody. */
async function enqueueMany(sql: Sql, count: number, phone: string): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) ids.push(await enqueue(sql, { recipient_phone: `+${phone}` }));
  return ids;
}

messagingTest("a message that is enqueued is posted once, and its statuses come back to it", {}, async (messaging) => {
  const { sql, graph, deliver, work } = messaging;
  await deliver(messages(text({ from: PHONE })));
  const id = await enqueue(sql);

  const report = await work();
  await graph.statuses.deliver();

  const [sent] = graph.mailbox.messages;
  assertEquals([graph.mailbox.messages.length, sent!.intent, sent!.wa_id], [1, id, PHONE]);
  assertEquals([report.sources.whatsapp_messages!.done, await outcomeOf(sql, id)], [1, "sent"]);
  const statuses = await sql`
    select status.status from public.whatsapp_message_statuses as status
    join public.whatsapp_message_queue_history as message on message.message_id = status.message_id
    where message.id = ${id}`;
  assertEquals(statuses.map(({ status }) => status), ["read"]);
});

messagingTest("what a message becomes carries its correlation id", {}, async ({ sql, work }) => {
  await sql`select set_config('request.headers', '{"x-correlation-id": "ride-7"}', false)`;
  const id = await enqueueTemplate(sql);
  await sql`select set_config('request.headers', '', false)`;

  await work();

  const [event] = await sql`select correlation_id from public.event_store where aggregate_id = ${id}`;
  assertEquals(event!.correlation_id, "ride-7");
});

for (
  const [setting, value, code] of [
    ["WHATSAPP_ACCESS_TOKEN", undefined, "not_configured"],
    ["OUTBOUND_ALLOWED_HOSTS", "graph.facebook.com", "outbound_not_allowed"],
  ] as const
) {
  messagingTest(`the queue stays as it is while ${setting} is ${value ?? "missing"}`, {}, async (messaging) => {
    const { sql, graph, settings, work } = messaging;
    const id = await enqueueTemplate(sql);
    useSettings({ ...settings, [setting]: value });

    const { sources } = await work();

    assertEquals([sources.whatsapp_messages!.error, sources.whatsapp_reads!.error], [code, code]);
    assertEquals([graph.requests, await outcomeOf(sql, id)], [[], "ready"]);
    assertEquals((await outbound(sql, id)).attempt_count, 0);
  });
}

messagingTest("STOP between enqueue and claim: not sent, and it says why", {}, async (messaging) => {
  const { sql, graph, deliver, work } = messaging;
  await deliver(messages(text({ from: PHONE })));
  const id = await enqueue(sql);

  await deliver(messages(text({ from: PHONE, text: { body: "STOP" } })));
  await work();

  assertEquals([graph.requests, await outcomeOf(sql, id)], [[], "failed: recipient_opted_out"]);
});

messagingTest(
  "a window that closes before the claim: the template goes instead, or it fails",
  {},
  async (messaging) => {
    const { sql, graph, deliver, work } = messaging;
    await deliver(messages(text({ from: PHONE }), text({ from: OTHER_PHONE })));
    const withTemplate = await enqueue(sql, { fallback_template: template(), category: "utility" });
    const without = await enqueue(sql, { recipient_phone: `+${OTHER_PHONE}` });

    await closeWindows(sql);
    await work();

    assertEquals(graph.mailbox.messages.map(({ intent, type }) => [intent, type]), [[withTemplate, "template"]]);
    assertEquals([await outcomeOf(sql, withTemplate), await outcomeOf(sql, without)], [
      "sent",
      "failed: window_closed",
    ]);
  },
);

messagingTest(
  "a window that Meta finds closed: the template goes after all",
  { misbehave: ({ count }) => count === 1 ? { accepts: false, answer: { code: 131047 } } : undefined },
  async ({ sql, graph, deliver, work }) => {
    await deliver(messages(text({ from: PHONE })));
    const id = await enqueue(sql, { fallback_template: template(), category: "utility" });

    await work();

    assertEquals(graph.mailbox.messages.map(({ intent, type }) => [intent, type]), [[id, "template"]]);
  },
);

messagingTest(
  "a burst to one person keeps to the pair limit and slows nobody else",
  { limits: { pairs: true } },
  async ({ sql, graph, deliver, work }) => {
    await deliver(messages(text({ from: PHONE }), text({ from: OTHER_PHONE })));
    const burst = await enqueueMany(sql, 60, PHONE);
    const others = await enqueueMany(sql, 5, OTHER_PHONE);

    const startedAt = Date.now();
    await work();
    // One more every six seconds, on a machine that takes so long.
    const sentCount = graph.requests.length - others.length;
    const mostCount = 40 + Math.floor((Date.now() - startedAt) / 6_000);

    const sentTo = (phone: string) => graph.mailbox.messages.filter(({ wa_id }) => wa_id === phone);
    assert(sentCount >= 40 && sentCount <= mostCount, `${sentCount} were sent`);
    assertEquals(sentTo(PHONE).map(({ intent }) => intent), burst.slice(0, sentCount));
    assertEquals(sentTo(OTHER_PHONE).map(({ intent }) => intent), others);
    assertEquals(await outcomeOf(sql, burst[sentCount]!), "waiting: pair_limit");
  },
);

messagingTest(
  "a token that has expired pauses the number at no cost, and lifting the circuit lets all go",
  {},
  async ({ sql, graph, work }) => {
    graph.next({ accepts: false, answer: { code: 190 } });
    const first = await enqueueTemplate(sql);
    await work();
    const second = await enqueueTemplate(sql, { recipient_phone: `+${OTHER_PHONE}` });
    await work();
    const paused = [graph.requests.length, await outcomeOf(sql, first), await outcomeOf(sql, second)];

    await sql`delete from public.whatsapp_circuits where scope = 'number' and subject = ${NUMBER}`;
    await work();

    assertEquals(paused, [1, "ready", "ready"]);
    assertEquals(graph.mailbox.messages.map(({ intent }) => intent), [first, second]);
    assertEquals((await outbound(sql, first)).attempt_count, 1);
  },
);

messagingTest("a number whose circuit is open slows no other", {}, async ({ sql, graph, work }) => {
  const other = "100000000000002";
  graph.next({ accepts: false, answer: { code: 131031 } });
  const held = await enqueueTemplate(sql);
  await work();
  const free = await enqueueTemplate(sql, { phone_number_id: other });

  await work();

  assertEquals([await outcomeOf(sql, held), await outcomeOf(sql, free)], ["ready", "sent"]);
});

messagingTest(
  "an answer that was lost is made up for by the status, and the message is not sent again",
  { misbehave: ({ count }) => count === 1 ? { accepts: true, answer: "close" } : undefined },
  async ({ sql, graph, work }) => {
    const id = await enqueueTemplate(sql);
    await work();
    const doubted = await outcomeOf(sql, id);

    await graph.statuses.deliver({ copies: 2, shuffled: true });
    await passTime(sql, "11 minutes");
    await work();

    assertEquals([doubted, await outcomeOf(sql, id), graph.mailbox.messages.length], ["unknown", "sent", 1]);
  },
);

messagingTest(
  "a request that got lost is sent again after the quiet period, once Meta has reported on later ones",
  { misbehave: ({ count }) => count === 1 ? { accepts: false, answer: "close" } : undefined },
  async ({ sql, graph, work }) => {
    const id = await enqueueTemplate(sql);
    await work();
    await work();
    const before = graph.requests.length;

    await passTime(sql, "11 minutes");
    graph.next(undefined);
    await enqueueTemplate(sql, { recipient_phone: `+${OTHER_PHONE}` });
    await work();
    await graph.statuses.deliver();
    await passTime(sql, "1 minute");
    await work();

    assertEquals([before, await outcomeOf(sql, id)], [1, "sent"]);
    assertEquals(graph.mailbox.messages.filter(({ intent }) => intent === id).length, 1);
  },
);

messagingTest("what arrived is shown as read, and that we are writing", {}, async ({ sql, graph, deliver, work }) => {
  await deliver(messages(text({ id: "wamid.read", from: PHONE })));
  const [message] = await sql`select id from public.whatsapp_messages`;
  await sql`select public.enqueue_whatsapp_read(${message!.id}, typing => true)`;

  await work();
  await work();

  assertEquals(graph.mailbox.receipts, [{ wamid: "wamid.read", typing: true }]);
});
