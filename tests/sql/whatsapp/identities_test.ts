import { assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { change, inbox, messages, secondsAgo, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import { undone } from "./undone.ts";
import { anyLog, deliveriesOf } from "./identity_log.ts";
import { People } from "./identity_model.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

const PHONE = "250788000001";
const ALINE = "RW.13491208655302741918";
const BOSCO = "RW.22222222222222222222";

/** A text message some minutes ago. */
function said(id: string, minutes: number, names: Record<string, unknown>): Uint8Array<ArrayBuffer> {
  return messages(text({ id, timestamp: secondsAgo(60 * minutes), from: undefined, ...names }));
}

/** Meta's notice that somebody has a new user id. */
function rotated(minutes: number, previous: string, current: string): Uint8Array<ArrayBuffer> {
  const update = { detail: "User changed number", user_id: { previous, current }, timestamp: secondsAgo(60 * minutes) };
  return change("user_id_update", inbox({ user_id_update: [update] }));
}

/** The message that Meta sends in the name of somebody who has moved to another number. */
function moved(minutes: number, from: string, to: string, ids: Record<string, unknown> = {}): Uint8Array<ArrayBuffer> {
  return said(`wamid.moved${minutes}`, minutes, {
    from,
    type: "system",
    text: undefined,
    system: { type: "user_changed_number", body: "User changed number", wa_id: to, ...ids },
  });
}

/** The messages of each person, people and messages in the order of their ids. */
async function byPerson(sql: TransactionSql): Promise<string[][]> {
  const rows = await sql<{ ids: string[] }[]>`
    select array_agg(message.wamid order by message.wamid) as ids
    from public.whatsapp_messages as message
    join public.whatsapp_contacts as contact on contact.id = message.contact_id
    group by coalesce(contact.merged_into, contact.id)
    order by 1`;
  return rows.map(({ ids }) => ids);
}

function permutations<T>(list: T[]): T[][] {
  if (list.length < 2) return [list];
  return list.flatMap((each, index) => permutations(list.toSpliced(index, 1)).map((rest) => [each, ...rest]));
}

/** A test that holds for every order of the deliveries. */
function testInAnyOrder(name: string, deliveries: Uint8Array<ArrayBuffer>[], expected: string[][]): void {
  test(`${name}, whatever the order`, async (sql) => {
    for (const order of permutations(deliveries)) {
      await undone(sql, async (inner) => {
        for (const delivery of order) await ingest(inner, delivery);
        assertEquals(await byPerson(inner), expected, order.map((each) => deliveries.indexOf(each)).join());
      });
    }
  });
}

testInAnyOrder("a new user id in mid-conversation is the same person's", [
  said("wamid.1", 30, { from_user_id: ALINE }),
  rotated(20, ALINE, BOSCO),
  said("wamid.2", 10, { from_user_id: BOSCO }),
], [["wamid.1", "wamid.2"]]);

testInAnyOrder("a number that changed hands goes to the new user id from the first time it is seen with it", [
  said("wamid.1", 50, { from: PHONE, from_user_id: ALINE }),
  said("wamid.2", 40, { from: PHONE }),
  said("wamid.3", 30, { from: PHONE, from_user_id: BOSCO }),
  said("wamid.4", 20, { from: PHONE }),
], [["wamid.1", "wamid.2"], ["wamid.3", "wamid.4"]]);

testInAnyOrder("a new number takes the person along, and who gets the old one is somebody else", [
  said("wamid.1", 50, { from: PHONE }),
  moved(40, PHONE, "250788000002"),
  said("wamid.2", 30, { from: "250788000002" }),
  said("wamid.3", 20, { from: PHONE }),
], [["wamid.1", "wamid.2", "wamid.moved40"], ["wamid.3"]]);

testInAnyOrder("a new number and user id take the person along", [
  said("wamid.1", 50, { from: PHONE, from_user_id: ALINE }),
  moved(40, PHONE, "250788000002", { user_id: BOSCO }),
  said("wamid.2", 30, { from_user_id: BOSCO }),
], [["wamid.1", "wamid.2", "wamid.moved40"]]);

test("whose a name is, is told for every time", async (sql) => {
  await ingest(sql, said("wamid.1", 50, { from: PHONE, from_user_id: ALINE }));
  await ingest(sql, said("wamid.2", 30, { from: PHONE, from_user_id: BOSCO }));

  const rows = await sql`
    select owner.value, number.valid_from = '-infinity' as is_first, number.valid_to is null as is_current
    from public.whatsapp_identities as number
    join public.whatsapp_identities as owner on owner.contact_id = number.contact_id and owner.kind = 'bsuid'
    where number.kind = 'wa_id' order by number.valid_from`;
  assertEquals(rows.map((row) => ({ ...row })), [
    { value: ALINE, is_first: true, is_current: false },
    { value: BOSCO, is_first: false, is_current: true },
  ]);
});

test("two contacts that prove to be one leave a trace of it, and the older one goes on", async (sql) => {
  await ingest(sql, said("wamid.1", 50, { from: PHONE }));
  await ingest(sql, said("wamid.2", 40, { from_user_id: ALINE }));
  const [older, younger] = await sql`select id from public.whatsapp_contacts order by id`;

  await ingest(sql, said("wamid.3", 30, { from: PHONE, from_user_id: ALINE }));

  const [move] = await sql`select from_contact_id, into_contact_id, is_followed from public.whatsapp_contact_moves`;
  assertEquals({ ...move }, { from_contact_id: younger!.id, into_contact_id: older!.id, is_followed: true });
  const [merged] = await sql`select merged_into from public.whatsapp_contacts where id = ${younger!.id}`;
  assertEquals(merged!.merged_into, older!.id);
});

test("what is known already is not written again", async (sql) => {
  await ingest(sql, said("wamid.1", 50, { from: PHONE, from_user_id: ALINE }));
  const before = await sql`select ctid, xmin, * from public.whatsapp_identities order by kind`;

  await ingest(sql, said("wamid.2", 40, { from: PHONE, from_user_id: ALINE }));

  const after = await sql`select ctid, xmin, * from public.whatsapp_identities order by kind`;
  assertEquals(JSON.stringify(after), JSON.stringify(before));
  assertNotEquals(before.length, 0);
});

test("any log gives the same people, however it is delivered", async (sql) => {
  const scenario = anyLog.chain((log) => fc.tuple(fc.constant(log), deliveriesOf(log)));
  await fc.assert(
    fc.asyncProperty(scenario, async ([log, deliveries]) => {
      await undone(sql, async (inner) => {
        for (const delivery of deliveries) await ingest(inner, delivery);

        const people = new People(log);
        const spoken = log.filter((each) => each.what !== "new_user_id");
        const expected = Object.values(Object.groupBy(spoken, ({ names, at }) => people.personAt(names, at)))
          .map((group) => group!.map(({ id }) => id).sort()).sort();
        assertEquals((await byPerson(inner)).sort(), expected);
        const [unfollowed] = await inner`select count(*)::int from public.whatsapp_contact_moves where not is_followed`;
        assertEquals(unfollowed!.count, 0);
      });
    }),
    { numRuns: 150 },
  );
});
