import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { messages, secondsAgo, statuses, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import {
  act,
  calls,
  echoes,
  freeStatus,
  HOUR,
  PHONE,
  referred,
  type Session,
  sessions,
  timeOf,
  transition,
} from "./sessions.ts";

const ALINE = { from: PHONE, from_user_id: "RW.13491208655302741918" };
const BOSCO = { from: PHONE, from_user_id: "RW.22222222222222222222" };
const AT = secondsAgo(4 * HOUR);
const CHANGED = secondsAgo(3 * HOUR);
const LATER = secondsAgo(2 * HOUR);

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

/** The sessions of Aline, who has the number first, and of Bosco, whose it proves to be from CHANGED on. */
async function split(sql: TransactionSql): Promise<[aline: Session, bosco: Session]> {
  const [{ id } = { id: "" }] = await sessions(sql);
  await ingest(sql, messages(text({ ...BOSCO, type: "reaction", timestamp: CHANGED })));
  const [bosco] = (await sessions(sql)).filter((session) => session.id !== id);
  const [aline] = (await sessions(sql)).filter((session) => session.id === id);
  return [aline!, bosco!];
}

test("a message that proves to be another's takes its window along, and leaves the earlier one", async (sql) => {
  await ingest(sql, messages(text({ ...ALINE, timestamp: AT })));
  await ingest(sql, messages(text({ from: PHONE, timestamp: LATER })));

  const [aline, bosco] = await split(sql);

  assertEquals([aline.last_inbound_at, aline.window_expires_at], [timeOf(AT), timeOf(AT, 24 * HOUR)]);
  assertEquals([bosco.last_inbound_at, bosco.window_expires_at], [timeOf(LATER), timeOf(LATER, 24 * HOUR)]);
});

test("calls, echoes and Meta's word on the free entry window go with the number too", async (sql) => {
  const until = secondsAgo(-50 * HOUR);
  await ingest(sql, messages(text({ ...ALINE, timestamp: AT })));
  await ingest(sql, calls({ timestamp: LATER }));
  await ingest(sql, echoes({ timestamp: LATER }));
  await ingest(sql, statuses(freeStatus(until, { recipient_id: PHONE, timestamp: LATER })));

  const [aline, bosco] = await split(sql);

  const windowsOf = (one: Session) => [one.last_inbound_at, one.last_outbound_at, one.free_entry_expires_at];
  assertEquals(windowsOf(aline), [timeOf(AT), null, null]);
  assertEquals(windowsOf(bosco), [timeOf(LATER), timeOf(LATER), timeOf(until)]);
});

test("the state of a conversation stays with who had it", async (sql) => {
  await ingest(sql, messages(text({ ...ALINE, timestamp: AT })));
  await ingest(sql, messages(text({ from: PHONE, timestamp: LATER })));
  const [session] = await sessions(sql);
  const asking = await transition(sql, session!, "asking", { vehicle: "moto" });

  const [aline, bosco] = await split(sql);

  assertEquals([aline.state, aline.version, aline.context], ["asking", asking.version, { vehicle: "moto" }]);
  assertEquals([bosco.state, bosco.version, bosco.context], ["idle", 1, {}]);
});

test("what was noted for a contact stays with it, and so does the free entry that it opened", async (sql) => {
  await ingest(sql, messages(referred({ ...ALINE, timestamp: AT })));
  const [{ contact_id } = { contact_id: "" }] = await sessions(sql);
  await act(sql, contact_id, { outboundAt: timeOf(AT, 60) });
  const noted = await act(sql, contact_id, { outboundAt: timeOf(AT, 30 * 60) });
  await ingest(sql, messages(text({ from: PHONE, timestamp: LATER })));
  await ingest(sql, echoes({ timestamp: LATER }));

  const [aline, bosco] = await split(sql);

  assertEquals(
    [aline.last_outbound_at, aline.free_entry_expires_at],
    [noted.last_outbound_at, timeOf(AT, 72 * HOUR)],
  );
  assertEquals([bosco.last_outbound_at, bosco.free_entry_expires_at], [timeOf(LATER), null]);
});

test("times that are too old to be told anew stay", async (sql) => {
  await ingest(sql, messages(text({ ...ALINE, type: "reaction", timestamp: AT })));
  const [{ id } = { id: "" }] = await sql`select id from public.whatsapp_contacts`;
  await act(sql, id, {});
  await sql`
    update public.whatsapp_sessions
    set last_inbound_at = now() - interval '40 days', window_expires_at = now() - interval '39 days'`;
  const [before] = await sessions(sql);
  await ingest(sql, echoes({ timestamp: LATER }));

  const [aline] = await split(sql);

  assertEquals([aline.last_inbound_at, aline.last_outbound_at], [before!.last_inbound_at, null]);
});

test("openings are kept as long as names may change hands, and no longer", async (sql) => {
  await ingest(sql, calls({ timestamp: AT }));
  await sql`select private.run_scheduled_job('purge-whatsapp-openings')`;
  const [kept] = await sql`select count(*)::int from public.whatsapp_openings`;

  await sql`update public.whatsapp_openings set kept_until = now() - interval '1 second'`;
  await sql`select private.run_scheduled_job('purge-whatsapp-openings')`;

  const [purged] = await sql`select count(*)::int from public.whatsapp_openings`;
  assertEquals([kept!.count, purged!.count], [1, 0]);
});
