import { assertEquals, assertNotEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { change, inbox, messages, secondsAgo, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

const PHONE = { from: "250788000001" };
const BSUID = { from: undefined, from_user_id: "RW.13491208655302741918" };
const BOTH = { ...PHONE, from_user_id: BSUID.from_user_id };

/** The contact that goes on for each message, by wamid. */
async function personOf(sql: TransactionSql, wamid: string): Promise<string | null> {
  const [row] = await sql`
    select coalesce(contact.merged_into, contact.id) as id
    from public.whatsapp_messages as message
    left join public.whatsapp_contacts as contact on contact.id = message.contact_id
    where message.wamid = ${wamid}`;
  return row!.id;
}

for (const order of [[PHONE, BSUID, BOTH], [BSUID, PHONE, BOTH], [BOTH, PHONE, BSUID], [BOTH, BSUID, PHONE]]) {
  test(`messages by ${order.map((by) => Object.keys(by).length + (by.from ? "p" : "u")).join(", ")} are one person's`, async (sql) => {
    for (const [index, by] of order.entries()) await ingest(sql, messages(text({ ...by, id: `wamid.${index}` })));

    const people = await Promise.all(order.map((_, index) => personOf(sql, `wamid.${index}`)));
    assertEquals(new Set(people).size, 1);
    const names = await sql`select kind, value from public.whatsapp_identities where valid_to is null order by kind`;
    assertEquals(names.map((row) => row.kind), ["wa_id", "bsuid"]);
  });
}

test("a sender without a phone number is stored like any other", async (sql) => {
  const contacts = [{ profile: { name: "Keza", username: "keza.rw" }, user_id: BSUID.from_user_id }];
  await ingest(sql, change("messages", inbox({ contacts, messages: [text({ ...BSUID, id: "wamid.u" })] })));

  const [row] = await sql`
    select contact.display_name, contact.username from public.whatsapp_messages as message
    join public.whatsapp_contacts as contact on contact.id = message.contact_id`;
  assertEquals([row!.display_name, row!.username], ["Keza", "keza.rw"]);
});

test("a message that names nobody is stored without a contact", async (sql) => {
  await ingest(sql, messages(text({ id: "wamid.nobody", from: undefined })));

  assertEquals(await personOf(sql, "wamid.nobody"), null);
});

test("a number that another user id writes from has changed hands, and the two are not merged", async (sql) => {
  await ingest(sql, messages(text({ ...BOTH, id: "wamid.old" })));

  await ingest(sql, messages(text({ ...PHONE, from_user_id: "RW.22222222222222222222", id: "wamid.new" })));

  assertNotEquals(await personOf(sql, "wamid.old"), await personOf(sql, "wamid.new"));
  const rows = await sql`
    select valid_to is null as is_current from public.whatsapp_identities where kind = 'wa_id' order by valid_to nulls last`;
  assertEquals(rows.map((row) => row.is_current), [false, true]);
});

test("the display name is the latest by Meta's time, whatever the order", async (sql) => {
  const named = (name: string, seconds: number) =>
    change(
      "messages",
      inbox({
        contacts: [{ profile: { name }, wa_id: PHONE.from }],
        messages: [text({ timestamp: secondsAgo(seconds) })],
      }),
    );
  const deliveries = [named("Aline", 300), named("Aline U.", 200), named("Aline", 100)];

  for (const order of [[0, 1, 2], [2, 0, 1], [2, 1, 0], [1, 2, 0]]) {
    await sql.savepoint(async (inner) => {
      for (const index of order) await ingest(inner, deliveries[index]!);
      const [row] = await inner`select display_name from public.whatsapp_contacts`;
      assertEquals(row!.display_name, "Aline", order.join());
      throw "undo";
    }).catch((thrown) => {
      if (thrown !== "undo") throw thrown;
    });
  }
});

test("a thousand new people in one delivery each get a contact", async (sql) => {
  const people = Array.from({ length: 1000 }, (_, index) => text({ from: String(250788100000 + index) }));

  const receipt = await ingest(sql, messages(...people));

  assertEquals(receipt.stored_count, 1000);
  const [row] = await sql`select count(distinct contact_id)::int as people from public.whatsapp_messages`;
  assertEquals(row!.people, 1000);
});
