import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { NUMBER } from "../../support/deliveries.ts";
import {
  claimedIds,
  claimOnly,
  complete,
  enqueue,
  enqueueTemplate,
  fail,
  graphError,
  openWindow,
  report,
} from "./outbound.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("whatsapp_queue_stats counts what is not through, by state and reason", async (sql) => {
  await openWindow(sql);
  await complete(sql, await claimed(sql));
  await fail(sql, await claimed(sql), graphError(131000));
  await enqueue(sql);
  await enqueue(sql);

  const rows = await sql`
    select phone_number_id, state, wait_reason, message_count::int from public.whatsapp_queue_stats order by state`;

  assertEquals([...rows], [
    { phone_number_id: NUMBER, state: "blocked", wait_reason: null, message_count: 2 },
    { phone_number_id: NUMBER, state: "waiting", wait_reason: "retry", message_count: 1 },
  ]);
});

test("whatsapp_queue_stats says until when ready messages are paused", async (sql) => {
  await openWindow(sql);
  await fail(sql, await claimed(sql), graphError(190));

  const [row] = await sql`select paused_until > now() as is_paused from public.whatsapp_queue_stats`;

  assertEquals(row!.is_paused, true);
});

test("whatsapp_delivery_rates tells how far messages got, by template", async (sql) => {
  const progress = [["sent"], ["delivered"], ["sent", "delivered", "read"], ["failed"]];
  for (const [at, names] of progress.entries()) {
    const id = await enqueueTemplate(sql, { recipient_phone: `+25078800100${at}` });
    const wamid = await complete(sql, await claimOnly(sql));
    for (const name of names) await report(sql, id, wamid, name, { errors: [{ code: 131026 }] });
  }

  const rows = await sql`
    select type, template_name, sent_count::int, delivered_count::int, read_count::int, failed_count::int
    from public.whatsapp_delivery_rates`;
  assertEquals([...rows], [{
    type: "template",
    template_name: "ride_update",
    sent_count: 4,
    delivered_count: 2,
    read_count: 1,
    failed_count: 1,
  }]);
});

test("whatsapp_failure_stats tells why messages were not sent", async (sql) => {
  await enqueue(sql);
  await claimedIds(sql);
  await openWindow(sql);
  await fail(sql, await claimed(sql), graphError(131026));

  const rows = await sql`
    select failure_reason, code, message_count::int from public.whatsapp_failure_stats order by failure_reason`;
  assertEquals([...rows], [
    { failure_reason: "window_closed", code: null, message_count: 1 },
    { failure_reason: "recipient_unreachable", code: "131026", message_count: 1 },
  ]);
});

test("what was sent and what failed for good is told as events, without anything personal", async (sql) => {
  await openWindow(sql);
  const sent = await claimed(sql);
  await complete(sql, sent);
  await fail(sql, await claimed(sql), graphError(131026));

  const events = await sql`
    select event_type, payload from public.event_store where aggregate_type = 'whatsapp_outbound' order by id`;
  assertEquals(events.map(({ event_type }) => event_type), ["whatsapp_outbound.sent", "whatsapp_outbound.failed"]);
  assertEquals(JSON.stringify(events.map(({ payload }) => payload)).includes("250788000001"), false);
  assertEquals(events[1]!.payload.failure_reason, "recipient_unreachable");
});

test("what was enqueued in one piece of work is sent in it", async (sql) => {
  await openWindow(sql);
  await sql`select set_config('app.correlation_id', 'ride-7', true)`;
  await enqueue(sql);
  await sql`select set_config('app.correlation_id', '', true)`;

  const claim = await claimOnly(sql);
  await complete(sql, claim);

  const [message] = await sql`select correlation_id from public.whatsapp_messages where direction = 'outbound'`;
  const [event] = await sql`select correlation_id from public.event_store where aggregate_type = 'whatsapp_outbound'`;
  assertEquals([claim.correlation_id, message!.correlation_id, event!.correlation_id], Array(3).fill("ride-7"));
});

async function claimed(sql: Parameters<typeof claimOnly>[0]) {
  await enqueue(sql);
  return await claimOnly(sql);
}
