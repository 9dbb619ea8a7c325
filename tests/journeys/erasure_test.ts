import { assertEquals, assertNotEquals } from "@std/assert";
import type { ISql, Sql } from "postgres";
import { TEXTS } from "shared/conversation/texts/texts.ts";
import { bodyOf } from "../shared/conversation/dialogue.ts";
import { codeOf } from "../sql/flags/flags.ts";
import { DROPOFF } from "../sql/trips/trips.ts";
import { balanceOf } from "../sql/wallet/wallets.ts";
import { messagingTest } from "../support/messaging.ts";
import { drive, DRIVER, fareOf, order, people, RIDER } from "./ride.ts";

const { rw } = TEXTS;
const NAME = "Aline Uwase";
/** What must be nowhere any more. */
const TRACES = [RIDER, NAME, String(DROPOFF.lat), String(DROPOFF.lng), "Kimironko"];
/** Where something stays: the evidence, and answers kept for a day. */
const STAYS = ["whatsapp_consents", "idempotency_keys"];

messagingTest("a person who asks for it is erased everywhere, and others are not", {}, async (messaging) => {
  const { sql } = messaging;
  const { rider, person, driver } = await people(messaging);
  await sql`update public.profiles set full_name = ${NAME} where id = ${person.id}`;
  await sql`select public.save_location('Kimironko', ${DROPOFF.lat}, ${DROPOFF.lng}, owner_id => ${person.id})`;
  await order(rider, "wallet");
  const underWay = await refusal(sql, person.id);
  const fare = await fareOf(sql);
  await drive(driver);
  await rider.tap(await rider.hear("rate"), "rate", ":5");
  await rider.hearOf((reply) => bodyOf(reply) === rw.rated, "thanks");
  await rider.write("STOP");
  await sql`update public.trip_ratings set comment = ${NAME}`;
  await messaging.work("?sources=subscriptions,conversation,whatsapp_messages,notifications");
  const rich = await refusal(sql, person.id);
  await giveBack(sql, person.account, 100_000 - fare.amount);
  const before = await tracesOf(sql, TRACES);
  const others = await tracesOf(sql, [DRIVER]);

  const receipt = await erase(sql, person.id);

  assertEquals([underWay, rich], ["person_not_settled", "person_not_settled"]);
  assertEquals(before.includes("whatsapp_messages") && before.includes("whatsapp_deliveries"), true);
  assertEquals(receipt.remaining, {});
  assertEquals(receipt.analytics, { profile: 0 });
  assertEquals((await tracesOf(sql, TRACES)).filter((table) => !STAYS.includes(table)), []);
  assertEquals(await tracesOf(sql, [DRIVER]), others);
  assertEquals(await balanceOf(sql, person.account), 0);
  const again = await erase(sql, person.id);
  assertEquals([again.rows, again.remaining], [{}, {}]);

  await rider.write("Muraho");
  const [{ count } = { count: 0 }] = await sql`
    select count(*)::int as count from public.whatsapp_contacts as contact
    join public.whatsapp_identities as identity on identity.contact_id = contact.id
    where identity.value = ${RIDER} and contact.profile_id is distinct from ${person.id}`;
  assertEquals(count, 1);
});

interface Receipt {
  rows: Record<string, number>;
  remaining: Record<string, number>;
  analytics: Record<string, number>;
}

async function erase(sql: ISql, profileId: string): Promise<Receipt> {
  const [row] = await sql`select public.erase_person(${profileId}) as receipt`;
  return row!.receipt;
}

async function refusal(sql: Sql, profileId: string): Promise<string> {
  return await sql.begin((transaction) => codeOf(transaction, (inner) => erase(inner, profileId)));
}

/** Pays the rest out, as a withdrawal would. */
async function giveBack(sql: Sql, account: string, amount: number): Promise<void> {
  assertNotEquals(amount, 0);
  await sql`
    select private.post_wallet_transaction('adjustment', array[
      (${account}::uuid, ${-amount}::bigint, null), (private.get_platform_account('suspense', 'RWF'), ${amount}::bigint, null)
    ]::private.wallet_leg[], 'test', 'paid out')`;
}

/** The tables that hold one of these texts in any column, bytes included; leaves by their parent's name. */
async function tracesOf(sql: Sql, texts: string[]): Promise<string[]> {
  const tables = await sql<{ leaf: string; name: string }[]>`
    select leaf.oid::regclass::text as leaf, coalesce(parent.relname, leaf.relname) as name
    from pg_class as leaf
    left join pg_inherits as link on link.inhrelid = leaf.oid
    left join pg_class as parent on parent.oid = link.inhparent
    where leaf.relkind = 'r' and leaf.relnamespace::regnamespace::text in ('public', 'private', 'partitions', 'archive')`;
  const needles = texts.flatMap((text) => [text, new TextEncoder().encode(text).toHex()]);
  const found = new Set<string>();
  for (const { leaf, name } of tables) {
    const [row] = await sql.unsafe(
      `select exists (select from ${leaf} as row, unnest($1::text[]) as needle where position(needle in row::text) > 0) as is_there`,
      [needles],
    );
    if (row!.is_there) found.add(name);
  }
  return [...found].toSorted();
}
