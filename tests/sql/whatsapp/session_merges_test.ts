import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { messages, secondsAgo, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import { untilSomebodyWaits } from "../foundation/waiting.ts";
import {
  act,
  calls,
  echoes,
  HOUR,
  onlySession,
  PHONE,
  referred,
  sessions,
  timeOf,
  transition,
  USER_ID,
} from "./sessions.ts";

const BY_PHONE = { from: PHONE };
const BY_USER_ID = { from: undefined, from_user_id: USER_ID };
const BY_BOTH = { from: PHONE, from_user_id: USER_ID };

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

/** Lets the phone number and the user id be known as one person's, by a message that opens nothing. */
async function merge(sql: TransactionSql): Promise<void> {
  await ingest(sql, messages(text({ ...BY_BOTH, type: "reaction" })));
}

test("the windows of a merged person are the later ones of both", async (sql) => {
  const [early, late] = [secondsAgo(3 * HOUR), secondsAgo(2 * HOUR)];
  await ingest(sql, messages(text({ ...BY_USER_ID, timestamp: early })));
  await ingest(sql, calls({ ...BY_PHONE, timestamp: late }));
  await ingest(sql, echoes({ timestamp: early }));

  await merge(sql);

  const session = await onlySession(sql);
  assertEquals([session.last_inbound_at, session.last_outbound_at], [timeOf(late), timeOf(early)]);
  const [contact] = await sql`select id from public.whatsapp_contacts where merged_into is null`;
  assertEquals(session.contact_id, contact!.id);
});

for (const [later, earlier] of [[BY_PHONE, BY_USER_ID], [BY_USER_ID, BY_PHONE]]) {
  test(`the session that was active later goes on: by ${later?.from ? "phone" : "user id"}`, async (sql) => {
    await ingest(sql, messages(text({ ...earlier, timestamp: secondsAgo(60) })));
    const [loser] = await sessions(sql);
    await transition(sql, loser!, "asking", { vehicle: "car" });
    await ingest(sql, messages(text({ ...later, timestamp: secondsAgo(30) })));
    const winner = (await sessions(sql)).find(({ id }) => id !== loser!.id)!;
    const paying = await transition(sql, winner, "paying", { amount: 500 }, "1 hour");

    await merge(sql);

    const { id, state, version, context, expires_at } = await onlySession(sql);
    assertEquals([id, state, version, context], [winner.id, "paying", paying.version, { amount: 500 }]);
    assertEquals(expires_at, paying.expires_at);
    assertEquals((await transition(sql, paying, "paid")).state, "paid");
  });
}

test("the history of both is kept, and the merger leads from the one to the other", async (sql) => {
  await ingest(sql, messages(text({ ...BY_PHONE, timestamp: secondsAgo(60) })));
  const [loser] = await sessions(sql);
  await transition(sql, loser!, "asking");
  await ingest(sql, messages(text(BY_USER_ID)));

  await merge(sql);

  const { id } = await onlySession(sql);
  const rows = await sql`
    select session_id, reason, from_state, to_state, merged_session_id from public.whatsapp_session_transitions order by id`;
  assertEquals(rows.map((row) => Object.values(row)), [
    [loser!.id, "requested", "idle", "asking", null],
    [id, "merged", "asking", "idle", loser!.id],
  ]);
});

test("a language chosen in either is kept, that of the later one first", async (sql) => {
  await ingest(sql, messages(text({ ...BY_PHONE, timestamp: secondsAgo(60) })));
  const [loser] = await sessions(sql);
  await act(sql, loser!.contact_id, { locale: "fr" });
  await ingest(sql, messages(text(BY_USER_ID)));

  await merge(sql);

  assertEquals((await onlySession(sql)).locale, "fr");
});

test("a session that the other contact has not is taken over as it is", async (sql) => {
  await ingest(sql, messages(text(BY_PHONE)));
  const [before] = await sessions(sql);
  await ingest(sql, messages(text({ ...BY_USER_ID, type: "reaction" })));

  await merge(sql);

  const after = await onlySession(sql);
  assertEquals([after.id, after.version, after.last_inbound_at], [before!.id, 1, before!.last_inbound_at]);
});

test("a question under one name and the answer to the other make a free entry window once they are one person's", async (sql) => {
  const asked = secondsAgo(2 * HOUR);
  await ingest(sql, messages(referred({ ...BY_USER_ID, timestamp: asked })));
  await ingest(sql, echoes({ timestamp: secondsAgo(HOUR) }));

  await merge(sql);

  assertEquals((await onlySession(sql)).free_entry_expires_at, timeOf(asked, 72 * HOUR));
});

test("activity noted for a contact that was merged is the other's", async (sql) => {
  await ingest(sql, messages(text(BY_PHONE)));
  const [{ contact_id: former } = { contact_id: "" }] = await sessions(sql);
  await ingest(sql, messages(text(BY_USER_ID)));
  await merge(sql);
  const { id } = await onlySession(sql);

  assertEquals((await act(sql, former, { outboundAt: new Date() })).id, id);
});

Deno.test("a message that waited for the merger of its sender opens the window of who goes on", async () => {
  const [one, other] = [connect(database.url), connect(database.url)];
  const at = secondsAgo();
  await one.begin((sql) => ingest(sql, messages(text({ ...BY_PHONE, timestamp: secondsAgo(60) }))));
  await one.begin((sql) => ingest(sql, messages(text({ ...BY_USER_ID, timestamp: secondsAgo(50) }))));

  let waiting: Promise<unknown> = Promise.resolve();
  await one.begin(async (sql) => {
    await merge(sql);
    waiting = other.begin((sql) => ingest(sql, messages(text({ ...BY_PHONE, timestamp: at }))));
    await untilSomebodyWaits(database.sql);
  });
  await waiting;

  assertEquals((await one.begin(onlySession)).last_inbound_at, timeOf(at));
  await Promise.all([one.end(), other.end()]);
});
