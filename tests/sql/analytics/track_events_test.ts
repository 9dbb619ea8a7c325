import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { codeOf } from "../flags/flags.ts";
import { daysAgo, type Item, track } from "./analytics.ts";

const database = await createTestDatabase();

function test(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, body));
}

async function reasonsFor(sql: TransactionSql, item: Item): Promise<string[]> {
  const { rejected } = await track(sql, [{ user_id: "u1", ...item }]);
  return rejected.map(({ reason }) => reason);
}

async function occurredAt(sql: TransactionSql, item: Item, receivedAt: string): Promise<string> {
  await track(sql, [{ user_id: "u1", ...item }], { received_at: receivedAt });
  const [row] = await sql`select occurred_at from public.analytics_events`;
  return row!.occurred_at.toISOString();
}

test("track_events() stores each event once, however often its message comes", async (sql) => {
  const items = [{ message_id: "m1", user_id: "u1" }, { message_id: "m2", user_id: "u1" }, {
    message_id: "m2",
    user_id: "u1",
  }];

  const first = await track(sql, items);
  const again = await track(sql, items);

  assertEquals(first, { received: 3, stored: 2, duplicate: 1, suppressed: 0, rejected: [] });
  assertEquals([again.stored, again.duplicate], [0, 3]);
});

test("track_events() keeps a UUID as the id and hashes any other message id", async (sql) => {
  const uuid = "0192F3A0-0000-7000-8000-000000000001";

  await track(sql, [{ message_id: uuid, user_id: "u1" }, { message_id: "node-next-1", user_id: "u1" }]);

  const rows = await sql`select id from public.analytics_events order by id`;
  const [hashed] = await sql`select md5('node-next-1')::uuid as id`;
  assertEquals(rows.map(({ id }) => id).sort(), [uuid.toLowerCase(), hashed!.id].sort());
});

test("track_events() tells two sites' messages of one id apart, and one site's retry not", async (sql) => {
  const keys = await sql`
    insert into public.analytics_write_keys (key_sha256, name, environment)
    select repeat(digit, 64), 'site', 'production' from (values ('a'), ('b')) as site (digit) returning id`;
  const item = { message_id: "order-1", user_id: "u1" };

  const stored: number[] = [];
  for (const { id } of [...keys, ...keys]) stored.push((await track(sql, [item], { write_key_id: id })).stored);

  assertEquals(stored, [1, 1, 0, 0]);
});

test("what groups are is stored, and counts nobody as active", async (sql) => {
  await track(sql, [
    { type: "group", event_name: "group", anonymous_id: "$company_acme" },
    { type: "track", event_name: "rode", user_id: "u1" },
  ]);

  const [events] = await sql`select count(*)::int from public.analytics_events`;
  const facts = await sql`select event_name from public.analytics_actor_days`;
  assertEquals([events!.count, facts.map(({ event_name }) => event_name)], [2, ["rode"]]);
});

test("track_events() corrects a clock that is wrong by what its time of sending is wrong", async (sql) => {
  const receivedAt = daysAgo(1);
  const hourBefore = new Date(Date.parse(receivedAt) - 3_600_000).toISOString();

  const at = await occurredAt(
    sql,
    { timestamp: "1970-01-01T00:00:00Z", sent_at: "1970-01-01T01:00:00Z" },
    receivedAt,
  );

  assertEquals(at, hourBefore);
});

test("track_events() takes no event from the future", async (sql) => {
  const receivedAt = daysAgo(1);

  assertEquals(await occurredAt(sql, { timestamp: "2100-01-01T00:00:00Z" }, receivedAt), receivedAt);
});

for (const timestamp of ["infinity", "now", "yesterday at noon", "2026-02-31T00:00:00Z"]) {
  test(`track_events() takes its own time where the client's is ${timestamp}`, async (sql) => {
    const receivedAt = daysAgo(1);

    assertEquals(await occurredAt(sql, { timestamp, sent_at: timestamp }, receivedAt), receivedAt);
  });
}

test("track_events() puts an event on the day that it is in Kigali", async (sql) => {
  const yesterday = daysAgo(1).slice(0, 10);

  await track(sql, [{ user_id: "u1", timestamp: `${yesterday}T21:59:59Z` }], { received_at: `${yesterday}T23:00:00Z` });
  await track(sql, [{ user_id: "u1", timestamp: `${yesterday}T22:00:00Z` }], { received_at: `${yesterday}T23:00:00Z` });

  const rows = await sql`select day::text from public.analytics_events order by occurred_at`;
  assertEquals(rows.map(({ day }) => day), [yesterday, daysAgo(0).slice(0, 10)]);
});

const BAD: Record<string, Item> = {
  "no name": { event_name: "" },
  "a long name": { event_name: "x".repeat(201) },
  "the name that stands for all": { event_name: "*" },
  "a long id": { user_id: "x".repeat(256) },
  "an unknown type": { type: "guess" },
  "properties that are a list": { properties: [] },
  "a day that is archived": { timestamp: "1970-01-01T00:00:00Z" },
};
const REASONS = [
  "event_name_invalid",
  "event_name_invalid",
  "event_name_invalid",
  "id_invalid",
  "type_unknown",
  "properties_invalid",
  "too_old",
];
for (const [index, [what, item]] of Object.entries(BAD).entries()) {
  test(`track_events() rejects an item with ${what}: ${REASONS[index]}`, async (sql) => {
    assertEquals(await reasonsFor(sql, item), [REASONS[index]]);
  });
}

test("track_events() keeps what it rejects, and what the edge did, and stores the rest", async (sql) => {
  const edge = [{ index: 2, message_id: "m3", reason: "too_large", item: { userId: "u3" } }];

  const answer = await track(
    sql,
    [{ message_id: "m1" }, { message_id: "m2", user_id: "u2" }],
    { rejected: edge, source: "segment" },
  );

  assertEquals([answer.received, answer.stored], [3, 1]);
  assertEquals(answer.rejected, [
    { index: 0, id: "m1", reason: "id_missing" },
    { index: 2, id: "m3", reason: "too_large" },
  ]);
  const kept = await sql`
    select message_id, item ->> 'message_id' as told, user_actor_id = private.analytics_actor_id('u3', null) as is_about
    from public.analytics_rejections order by message_id`;
  assertEquals(kept.map((row) => [row.message_id, row.told, row.is_about]), [["m1", "m1", null], ["m3", null, true]]);
});

test("track_events() of a user's token is that user's, whatever the items say", async (sql) => {
  const sub = crypto.randomUUID();

  await track(sql, [{ user_id: "somebody else" }], { sub });

  assertEquals([...await sql`select user_id, actor_id from public.analytics_events`], [{
    user_id: sub,
    actor_id: sub,
  }]);
});

test("track_events() counts bots nowhere", async (sql) => {
  const { stored } = await track(sql, [{ user_id: "u1", is_bot: true }]);

  assertEquals([stored, [...await sql`select * from public.analytics_actor_days`].length], [1, 0]);
});

test("track_events() lets a key go a minute ahead of its rate and then refuses", async (sql) => {
  const [key] = await sql`select public.create_analytics_write_key('app', 'production', 2) as made`;
  const send = () => track(sql, [{ user_id: "u1" }, { user_id: "u1" }], { write_key_id: key!.made.id });

  await send();
  await send();

  assertEquals(await codeOf(sql, send), "rate_limited");
  const [{ count }] = await sql`select count(*)::int from public.analytics_events` as unknown as [{ count: number }];
  assertEquals(count, 4);
});

test("track_events() of what is no batch is refused", async (sql) => {
  assertEquals(await codeOf(sql, (inner) => inner`select public.track_events('[]')`), "invalid_argument");
  assertEquals(
    await codeOf(sql, (inner) => track(inner, Array.from({ length: 2_501 }, () => ({})))),
    "invalid_argument",
  );
});
