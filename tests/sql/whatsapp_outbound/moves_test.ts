import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { change, messages, secondsAgo, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import {
  claimedIds,
  claimOnly,
  complete,
  enqueue,
  enqueueTemplate,
  openWindow,
  outbound,
  outcomeOf,
} from "./outbound.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("two contacts that prove to be one person become one lane, in the order of enqueuing", async (sql) => {
  const first = await enqueueTemplate(sql);
  const second = await enqueueTemplate(sql, { recipient_user_id: "RW.1" });
  const third = await enqueueTemplate(sql);

  await ingest(sql, messages(text({ from_user_id: "RW.1" })));

  const order = [];
  for (let count = 0; count < 3; count++) {
    const claim = await claimOnly(sql);
    order.push(claim.id);
    await complete(sql, claim);
  }
  assertEquals(order, [first, second, third]);
});

test("what is under way when contacts merge stays under way, and the rest waits for it", async (sql) => {
  const first = await enqueueTemplate(sql);
  const claim = await claimOnly(sql);
  const second = await enqueueTemplate(sql, { recipient_user_id: "RW.1" });

  await ingest(sql, messages(text({ from_user_id: "RW.1" })));

  assertEquals([await claimedIds(sql), await outcomeOf(sql, second)], [[], "blocked"]);
  await complete(sql, claim);
  assertEquals([await outcomeOf(sql, first), await claimedIds(sql)], ["sent", [second]]);
});

test("a scheduled message of a merged contact goes to who goes on", async (sql) => {
  const id = await enqueueTemplate(sql, { recipient_user_id: "RW.1", scheduled_at: new Date(Date.now() + 60_000) });
  await openWindow(sql);

  await ingest(sql, messages(text({ from_user_id: "RW.1" })));

  const [{ contact_id }] = await sql<[{ contact_id: string }]>`
    select distinct contact_id from public.whatsapp_identities where valid_to is null`;
  assertEquals((await outbound(sql, id)).contact_id, contact_id);
});

test("a message to a phone stays with the phone when it changes hands", async (sql) => {
  await ingest(sql, messages(text({ from_user_id: "RW.1", timestamp: secondsAgo(3_600) })));
  const id = await enqueueTemplate(sql);
  await ingest(sql, messages(text({ from_user_id: "RW.2" })));

  const [owner] = await sql`
    select contact_id from public.whatsapp_identities where kind = 'bsuid' and value = 'RW.2'`;
  assertEquals((await outbound(sql, id)).contact_id, owner!.contact_id);
  assertEquals((await claimOnly(sql)).request.to, "+250788000001");
});

test("a message to a contact goes to their new number", async (sql) => {
  await ingest(sql, messages(text({ from_user_id: "RW.1", timestamp: secondsAgo(60) })));
  const [{ contact_id }] = await sql<[{ contact_id: string }]>`select contact_id from public.whatsapp_messages`;
  const id = await enqueue(sql, { contact_id });
  const system = { body: "changed", type: "user_changed_number", wa_id: "250788000009" };
  await ingest(sql, messages(text({ type: "system", system, timestamp: secondsAgo(30) })));

  const claim = await claimOnly(sql);

  assertEquals([claim.id, claim.request.to], [id, "+250788000009"]);
});

test("consent is asked of whom the phone belongs to when the message goes", async (sql) => {
  await ingest(sql, messages(text({ from_user_id: "RW.1", timestamp: secondsAgo(3_600) })));
  const id = await enqueueTemplate(sql);
  await ingest(sql, messages(text({ from_user_id: "RW.2", text: { body: "STOP" } })));

  await claimedIds(sql);

  assertEquals(await outcomeOf(sql, id), "failed: recipient_opted_out");
});

test("the pair limit of two contacts that were one person all along counts together", async (sql) => {
  for (let count = 0; count < 21; count++) await enqueueTemplate(sql, { ordering: "none" });
  for (let count = 0; count < 21; count++) {
    await enqueueTemplate(sql, { ordering: "none", recipient_user_id: "RW.1" });
  }
  await sql`update private.whatsapp_lanes set paced_until = now() + interval '3 minutes 50 seconds'`;

  await ingest(sql, messages(text({ from_user_id: "RW.1" })));

  assertEquals((await claimedIds(sql)).length, 1);
});

test("what Meta's answer says of a person's names is learned", async (sql) => {
  await openWindow(sql);
  await enqueue(sql);
  const claim = await claimOnly(sql);

  await sql`
    select public.complete_whatsapp_message(${claim.id}, ${claim.lease_token}, 'wamid.1',
      wa_id => '250788000001', user_id => 'RW.7')`;

  const contacts = await sql`
    select distinct contact_id from public.whatsapp_identities where value in ('250788000001', 'RW.7')`;
  assertEquals(contacts.length, 1);
});

test("an echo of what we sent does not make it two", async (sql) => {
  await openWindow(sql);
  await enqueue(sql);
  const echo = text({ id: "wamid.1", from: "250788000000", to: "250788000001" });
  const claim = await claimOnly(sql);
  const metadata = { display_phone_number: "250788000000", phone_number_id: "100000000000001" };
  await ingest(
    sql,
    change("smb_message_echoes", { messaging_product: "whatsapp", metadata, message_echoes: [echo] }),
  );

  await complete(sql, claim, "wamid.1");

  const sent = await sql`select origin from public.whatsapp_messages where direction = 'outbound'`;
  assertEquals([sent.length, (await outbound(sql, claim.id)).state], [1, "sent"]);
});
