import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { change, NUMBER } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import {
  claim,
  claimedIds,
  claimOnly,
  complete,
  enqueue,
  enqueueTemplate,
  openWindow,
  outcomeOf,
  passTime,
} from "./outbound.ts";

type Transaction = Parameters<typeof openWindow>[0];

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("beyond the messaging limit templates wait, and answers flow", async (sql) => {
  await limitTo(sql, 2);
  const sent = [await toPerson(sql, 1), await toPerson(sql, 2)];
  const late = await toPerson(sql, 3);
  await openWindow(sql, "250788000100");
  const answer = await enqueue(sql, { recipient_phone: "+250788000100" });

  assertEquals([await claimedIds(sql), await outcomeOf(sql, late)], [[...sent, answer], "waiting: messaging_limit"]);
});

test("the limit counts people, not messages", async (sql) => {
  await limitTo(sql, 1);
  await toPerson(sql, 1);
  const again = await toPerson(sql, 1);
  await complete(sql, await claimOnly(sql));

  assertEquals(await claimedIds(sql), [again]);
});

test("whoever has written does not count", async (sql) => {
  await limitTo(sql, 1);
  await openWindow(sql);
  await enqueueTemplate(sql);
  const other = await toPerson(sql, 2);

  assertEquals((await claimedIds(sql)).includes(other), true);
});

test("who has been waiting is let go when they write, as soon as something is enqueued for them", async (sql) => {
  await limitTo(sql, 1);
  await toPerson(sql, 1);
  const held = await toPerson(sql, 2);
  await claimedIds(sql);
  await openWindow(sql, "250788001002");

  await enqueue(sql, { recipient_phone: "+250788001002" });

  assertEquals(await claimedIds(sql), [held]);
});

test("a day later there is room again", async (sql) => {
  await limitTo(sql, 1);
  await toPerson(sql, 1);
  const held = await toPerson(sql, 2);
  await complete(sql, await claimOnly(sql));
  await sql`update private.whatsapp_reached_hours set hour_from = hour_from - interval '26 hours'`;

  await passTime(sql, "2 hours");

  assertEquals(await claimedIds(sql), [held]);
});

const TIERS: [told: string | number, limit: number | null][] = [
  ["TIER_50", 50],
  ["TIER_250", 250],
  ["TIER_2K", 2_000],
  ["TIER_10K", 10_000],
  ["TIER_100K", 100_000],
  ["TIER_UNLIMITED", null],
  [1_000, 1_000],
];

for (const [told, limit] of TIERS) {
  test(`Meta's event sets the limit: ${told}`, async (sql) => {
    await openWindow(sql);
    await enqueue(sql);

    const value = { max_daily_conversations_per_business: told, max_phone_numbers_per_business: 2 };
    await ingest(sql, change("business_capability_update", value, { time: Math.floor(Date.now() / 1000) }));

    const [row] = await sql`select private.whatsapp_messaging_limit('default') as limit`;
    assertEquals(row!.limit, limit);
  });
}

test("what operators set counts more than what Meta told", async (sql) => {
  await openWindow(sql);
  await enqueue(sql);
  const value = { max_daily_conversations_per_business: "TIER_250" };
  await ingest(sql, change("business_capability_update", value, { time: Math.floor(Date.now() / 1000) }));

  await limitTo(sql, 9);

  const [row] = await sql`select private.whatsapp_messaging_limit('default') as limit`;
  assertEquals(row!.limit, 9);
});

test("a number sends nine tenths of its throughput in a second, and the rest in the next", async (sql) => {
  await setThroughput(sql, 10);
  for (let person = 1; person <= 20; person++) await toPerson(sql, person);

  const first = await claim(sql);
  const none = await claim(sql);
  await passTime(sql, "1 second");

  assertEquals([first.length, none.length, (await claim(sql)).length], [9, 0, 9]);
});

const THROUGHPUTS: [upgraded: boolean, own: number | null, perSecond: number][] = [
  [false, null, 72],
  [true, null, 900],
  [true, 20, 18],
];

for (const [upgraded, own, perSecond] of THROUGHPUTS) {
  test(`throughput: ${JSON.stringify({ upgraded, own })} is ${perSecond} a second`, async (sql) => {
    await openWindow(sql);
    await setThroughput(sql, own);
    const value = { display_phone_number: "250788000000", event: "THROUGHPUT_UPGRADE" };
    if (upgraded) {
      await ingest(sql, change("phone_number_quality_update", value, { time: Math.floor(Date.now() / 1000) }));
    }

    const [row] = await sql`
      select private.whatsapp_throughput(sender)::int as throughput from private.whatsapp_senders as sender`;

    assertEquals(row!.throughput, perSecond);
  });
}

test("a number that is out of breath does not hold up another", async (sql) => {
  await setThroughput(sql, 10);
  for (let person = 1; person <= 10; person++) await toPerson(sql, person);
  const other = await enqueueTemplate(sql, { phone_number_id: "100000000000002" });

  const ids = await claimedIds(sql);

  assertEquals([ids.length, ids.includes(other)], [10, true]);
});

/** A template to one of many people who never wrote. */
function toPerson(sql: Transaction, number: number): Promise<string> {
  return enqueueTemplate(sql, { recipient_phone: `+${250_788_001_000 + number}` });
}

async function limitTo(sql: Transaction, people: number): Promise<void> {
  await sql`update private.whatsapp_portfolios set messaging_limit = ${people} where portfolio = 'default'`;
}

async function setThroughput(sql: Transaction, perSecond: number | null): Promise<void> {
  await sql`
    insert into private.whatsapp_senders (phone_number_id, messages_per_second) values (${NUMBER}, ${perSecond})`;
}
