import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { change, inbox, messages, NUMBER, secondsAgo, status, statuses, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import { calls, callStatuses, echoes, HOUR, onlySession, PHONE, sessions, timeOf, USER_ID } from "./sessions.ts";

const DAY = 24 * HOUR;
const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

const AT = secondsAgo(2 * HOUR);
const OPENING: Record<string, Uint8Array> = {
  "a message": messages(text({ timestamp: AT })),
  "a message that the API cannot show": messages(text({ timestamp: AT, type: "unsupported" })),
  "a tap on a button": messages(text({ timestamp: AT, type: "interactive" })),
  "a call": calls({ timestamp: AT }),
  "a call by a user without a phone number": calls({ timestamp: AT, from: undefined, from_user_id: USER_ID }),
  "a call of ours that was accepted": callStatuses("ACCEPTED", { timestamp: AT }),
};

for (const [name, delivery] of Object.entries(OPENING)) {
  test(`${name} opens the window for 24 hours of Meta's time`, async (sql) => {
    await ingest(sql, delivery);

    const session = await onlySession(sql);
    assertEquals([session.phone_number_id, session.state, session.version], [NUMBER, "idle", 1]);
    assertEquals([session.last_inbound_at, session.window_expires_at], [timeOf(AT), timeOf(AT, DAY)]);
  });
}

const THREAD = { id: PHONE, messages: [text({ timestamp: AT })] };
const CLOSED: Record<string, Uint8Array> = {
  "a reaction": messages(text({ type: "reaction" })),
  "a reaction that the API cannot show": messages(text({ type: "unsupported", unsupported: { type: "reaction" } })),
  "an edit": messages(text({ type: "edit" })),
  "a revocation": messages(text({ type: "revoke" })),
  "a system notice": messages(text({ type: "system", system: { type: "customer_identity_changed" } })),
  "a chat opened without a word": messages(text({ type: "request_welcome" })),
  "a message to a group": messages(text({ group_id: "g1" })),
  "a copy for a standby app": change("standby", inbox({ messages: [text()] })),
  "history": change("history", inbox({ history: [{ metadata: { phase: 0 }, threads: [THREAD] }] })),
  "a stale message": messages(text({ timestamp: secondsAgo(36 * DAY) })),
  "a message from the future": messages(text({ timestamp: secondsAgo(-2 * HOUR) })),
  "a call of ours that begins to ring": calls({ direction: "BUSINESS_INITIATED" }),
  "the end of a call": calls({ event: "terminate" }),
  "a call of ours that was rejected": callStatuses("REJECTED"),
  "a status": statuses(status("wamid.s", "read")),
};

for (const [name, delivery] of Object.entries(CLOSED)) {
  test(`${name} opens no session`, async (sql) => {
    await ingest(sql, delivery);

    assertEquals(await sessions(sql), []);
  });
}

test("the live copy of a standby message opens the window", async (sql) => {
  const message = text({ timestamp: AT });
  await ingest(sql, change("standby", inbox({ messages: [message] })));

  await ingest(sql, messages(message));

  assertEquals((await onlySession(sql)).last_inbound_at, timeOf(AT));
});

test("a second copy of a message opens nothing, whatever time it gives", async (sql) => {
  await ingest(sql, messages(text({ id: "wamid.1", timestamp: AT })));

  await ingest(sql, messages(text({ id: "wamid.1" })));

  assertEquals((await onlySession(sql)).last_inbound_at, timeOf(AT));
});

test("a replayed dead letter opens the window of its own time", async (sql) => {
  await sql`alter table public.whatsapp_messages add constraint no_texts check (type <> 'text')`;
  const { delivery_id } = await ingest(sql, messages(text({ timestamp: AT })));
  await sql`alter table public.whatsapp_messages drop constraint no_texts`;

  await sql`select public.replay_whatsapp_delivery(${delivery_id})`;

  assertEquals((await onlySession(sql)).last_inbound_at, timeOf(AT));
});

test("each of our numbers has a session of its own with the same contact", async (sql) => {
  const metadata = { phone_number_id: "100000000000002" };
  await ingest(sql, messages(text()));

  await ingest(sql, change("messages", { ...inbox({ messages: [text()] }), metadata }));

  const [first, second] = await sessions(sql);
  assertEquals([first!.phone_number_id, second!.phone_number_id], [NUMBER, "100000000000002"]);
  assertEquals(first!.contact_id, second!.contact_id);
});

test("a message from the phone app is outbound and opens no window", async (sql) => {
  await ingest(sql, echoes({ timestamp: AT }));

  const session = await onlySession(sql);
  assertEquals([session.last_outbound_at, session.window_expires_at], [timeOf(AT), null]);
});
