import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { change, messages, NUMBER, secondsAgo, status, statuses, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { echoes, openSession, PHONE, transition } from "../whatsapp/sessions.ts";
import { readAfter, START, type StoredEvent, untilReadable } from "./events.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

/** What was recorded, as type and payload; read past the horizon, because this transaction is still open. */
async function recorded(sql: TransactionSql, type = "%"): Promise<StoredEvent[]> {
  await sql`set constraints all immediate`;
  const events = await sql<StoredEvent[]>`
    select * from public.event_store where event_type like ${type} order by transaction_id, position`;
  await sql`set constraints all deferred`;
  return [...events];
}

async function contactOf(sql: TransactionSql, value = PHONE): Promise<string> {
  const [row] =
    await sql`select contact_id from public.whatsapp_identities where value = ${value} and valid_to is null`;
  return row!.contact_id;
}

test("a message is an event in the stream of its contact, at Meta's time and without a word of it", async (sql) => {
  const at = secondsAgo(60);
  await ingest(sql, messages(text({ timestamp: at, text: { body: "Muraho neza" } })));

  const [event] = await recorded(sql);

  const contact = await contactOf(sql);
  const [message] = await sql`select id from public.whatsapp_messages`;
  assertEquals([event!.aggregate_type, event!.aggregate_id, event!.version], ["whatsapp_contact", contact, "1"]);
  assertEquals(event!.event_type, "whatsapp_message.received");
  assertEquals(event!.occurred_at, new Date(Number(at) * 1000));
  assertEquals(event!.payload, { message_id: message!.id, contact_id: contact, phone_number_id: NUMBER, type: "text" });
});

test("a delivery that comes again makes no second event", async (sql) => {
  const [first, second] = [text(), text({ from: "250788000002" })];
  await ingest(sql, messages(first, second));
  await ingest(sql, messages(second));

  const events = await recorded(sql);

  assertEquals(events.map((event) => event.event_type), ["whatsapp_message.received", "whatsapp_message.received"]);
});

test("what the phone's own app sent is told apart from what came in", async (sql) => {
  await ingest(sql, messages(text()));
  await ingest(sql, echoes());

  const events = await recorded(sql);

  assertEquals(events.map((event) => [event.event_type, event.version]), [
    ["whatsapp_message.received", "1"],
    ["whatsapp_message.echoed", "2"],
  ]);
});

test("each status of a message is one event, with the codes of its errors", async (sql) => {
  const failed = status("wamid.a", "failed", { errors: [{ code: 131026 }], biz_opaque_callback_data: "ours-1" });
  await ingest(sql, statuses(status("wamid.a", "sent"), failed));
  await ingest(sql, statuses(failed));

  const events = await recorded(sql);

  assertEquals(events.map(({ event_type, version, payload }) => [event_type, version, payload.error_codes]), [
    ["whatsapp_message.sent", "1", []],
    ["whatsapp_message.failed", "2", [131026]],
  ]);
  assertEquals(events[1]!.payload.callback_data, "ours-1");
});

test("STOP is an event in the stream of who said it", async (sql) => {
  await ingest(sql, messages(text({ text: { body: "STOP" } })));

  const [event] = await recorded(sql, "whatsapp_consent.changed");

  const { scope, decision, source } = event!.payload;
  assertEquals([event!.aggregate_id, scope, decision, source], [await contactOf(sql), "all", "stop", "keyword"]);
});

test("a session's transition is an event without its context", async (sql) => {
  const session = await openSession(sql);
  await transition(sql, session, "asking");

  const [event] = await recorded(sql, "whatsapp_session.transitioned");

  const { reason, from_state, to_state } = event!.payload;
  assertEquals([event!.aggregate_id, reason, from_state, to_state], [session.id, "requested", "idle", "asking"]);
  assertEquals(Object.hasOwn(event!.payload, "context"), false);
});

test("a contact that proves to be another's is told in its stream", async (sql) => {
  const user = "RW.13491208655302741918";
  await ingest(sql, messages(text({ timestamp: secondsAgo(120) })));
  await ingest(sql, messages(text({ from: undefined, from_user_id: user, timestamp: secondsAgo(60) })));
  await ingest(sql, messages(text({ from_user_id: user })));

  const [event] = await recorded(sql, "whatsapp_contact.moved");

  const ids = [event!.payload.from_contact_id, event!.payload.into_contact_id];
  assertEquals([event!.aggregate_id, ids.includes(await contactOf(sql))], [ids[0], true]);
});

test("what Meta tells of a template is an event, and an older report is none", async (sql) => {
  const about = { message_template_name: "trip_receipt", message_template_language: "rw", reason: null };
  const now = Number(secondsAgo());
  await ingest(sql, change("message_template_status_update", { event: "PAUSED", ...about }, { time: now }));
  await ingest(sql, change("message_template_status_update", { event: "APPROVED", ...about }, { time: now - 60 }));

  const events = await recorded(sql, "whatsapp_report.received");

  assertEquals(events.map((event) => [event.aggregate_type, event.aggregate_id]), [
    ["whatsapp_template", "1020:trip_receipt:rw"],
  ]);
});

test("a linked phone is an event of the profile, without the number", async (sql) => {
  const user = await createUser(sql);
  await sql`update auth.users set phone = ${PHONE}, phone_confirmed_at = now() where id = ${user}`;
  await asUser(sql, user, (sql) => sql`select public.link_confirmed_phone()`);

  const events = await recorded(sql, "profile.phone_changed");

  assertEquals(events.map((event) => event.payload), [{ user_id: user }]);
});

Deno.test("a delivery's events are read after its commit, with its correlation id", async () => {
  await database.sql.begin(async (sql) => {
    await sql`select set_config('request.headers', '{"x-correlation-id": "delivery-1"}', true)`;
    await ingest(sql, messages(text({ text: { body: "STOP" } })));
  });

  await untilReadable(database.sql);

  const events = await readAfter(database.sql, START);
  assertEquals(events.map((event) => [event.event_type, event.correlation_id]), [
    ["whatsapp_message.received", "delivery-1"],
    ["whatsapp_consent.changed", "delivery-1"],
  ]);
});
