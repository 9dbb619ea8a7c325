import { assertEquals } from "@std/assert";
import { change, inbox, messages, status, statuses, text } from "../../support/deliveries.ts";
import { webhookTest } from "../../support/webhook.ts";

webhookTest(
  "statuses and their message, delivered at the same moment, always find each other",
  async ({ accept, sql }) => {
    for (let round = 0; round < 40; round++) {
      const id = `wamid.race${round}`;
      const echo = text({ id, from: "250788000000", to: "250788000001" });
      const responses = await Promise.all([
        accept(statuses(status(id, "sent"))),
        accept(change("smb_message_echoes", inbox({ message_echoes: [echo] }))),
        accept(statuses(status(id, "delivered"), status(id, "read"))),
      ]);
      assertEquals(responses.map((response) => response.status), [200, 200, 200]);
    }

    const [row] = await sql`
    select count(*)::int as count, count(message_id)::int as joined, count(*) filter (where status = 'read')::int as read
    from public.whatsapp_message_statuses`;
    assertEquals([row!.count, row!.joined, row!.read], [40, 40, 40]);
  },
);

webhookTest(
  "one body sent by many at the same moment is journaled once and every copy is counted",
  async ({ accept, sql }) => {
    const body = messages(text(), text());

    const responses = await Promise.all(Array.from({ length: 16 }, () => accept(body)));

    assertEquals(responses.map((response) => response.status), Array(16).fill(200));
    const [row] = await sql`select copy_count, stored_count from public.whatsapp_delivery_outcomes`;
    assertEquals([row!.copy_count, row!.stored_count], [16, 2]);
  },
);

webhookTest(
  "overlapping batches from the same new people, delivered at the same moment, store each item once",
  async ({ accept, sql }) => {
    const list = Array.from(
      { length: 60 },
      (_, index) => text({ from: String(250788000500 + index % 20), from_user_id: `RW.${index % 20}` }),
    );
    const batches = Array.from({ length: 12 }, (_, start) => list.slice(start * 4, start * 4 + 16));

    const responses = await Promise.all(
      batches.map((batch, index) => accept(messages(...(index % 2 ? batch : batch.toReversed())))),
    );

    assertEquals(responses.map((response) => response.status), Array(12).fill(200));
    const [row] = await sql`
    select (select count(*) from public.whatsapp_messages)::int as messages,
      (select count(*) from public.whatsapp_contacts where merged_into is null)::int as people`;
    assertEquals([row!.messages, row!.people], [60, 20]);
  },
);
