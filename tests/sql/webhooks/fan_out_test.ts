import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { refusalOf } from "../events/events.ts";
import {
  answer,
  claim,
  createEndpoint,
  deliveriesOf,
  type Endpoint,
  fanOut,
  happened,
  makeDue,
  payment,
  recordEvent,
} from "./webhooks.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

async function createProfile(sql: TransactionSql): Promise<string> {
  const [row] = await sql`insert into public.profiles (locale) values ('rw') returning id`;
  return row!.id;
}

async function replay(sql: TransactionSql, { id }: Endpoint, how: Record<string, unknown>) {
  const names = Object.keys(how);
  const [row] = await sql.unsafe(
    `select public.replay_webhook_deliveries($1, ${names.map((name, index) => `${name} => $${index + 2}`)}) as answer`,
    [id, ...Object.values(how)] as never[],
  );
  return row!.answer as { replayed: number; next_event_id: string | null };
}

for (
  const [filter, expected] of [
    [["*"], ["payment.succeeded", "payment.failed", "refund.succeeded", "payout.failed", "top_up.created"]],
    [["payment.succeeded"], ["payment.succeeded"]],
    [["payment.*"], ["payment.succeeded", "payment.failed"]],
    [["refund.*", "payout.failed"], ["refund.succeeded", "payout.failed"]],
  ] as const
) {
  test(`an endpoint that asks for ${filter.join(", ")} hears of that alone`, async (sql) => {
    const endpoint = await createEndpoint(sql, { event_types: filter });
    for (const type of ["payment.succeeded", "payment.failed", "refund.succeeded", "payout.failed", "top_up.created"]) {
      await happened(sql, type);
    }

    assertEquals((await deliveriesOf(sql, endpoint)).map(({ event_type }) => event_type), expected);
  });
}

test("events of other kinds are nobody's business outside", async (sql) => {
  const endpoint = await createEndpoint(sql);
  const [row] =
    await sql`select event_id as id from public.append_event('wallet_transaction', 't1', 'payment.made', '{}')`;

  await fanOut(sql, row!.id);
  await happened(sql, "transaction.audited");

  assertEquals(await deliveriesOf(sql, endpoint), []);
});

test("an event is one delivery for each endpoint, however often it is handed out", async (sql) => {
  const endpoints = [await createEndpoint(sql), await createEndpoint(sql)];
  const eventId = await happened(sql);

  await fanOut(sql, eventId, eventId);

  for (const endpoint of endpoints) assertEquals((await deliveriesOf(sql, endpoint)).length, 1);
});

test("a profile's endpoint hears of payments by them and to them, and not who the other side is", async (sql) => {
  const [owner, other] = [await createProfile(sql), await createProfile(sql)];
  const [account] = await sql`select (public.open_wallet_account('RWF', ${owner})).id`;
  await createEndpoint(sql, { profile_id: owner });

  await happened(sql, "payment.succeeded", payment({ profile_id: other }));
  await happened(sql, "payment.succeeded", payment({ profile_id: owner, amount: 1 }));
  await happened(sql, "payment.succeeded", payment({ profile_id: other, to_account_id: account!.id, amount: 2 }));

  const told = (await claim(sql)).map(({ data }) => [data.amount, data.profile_id]);
  assertEquals(told, [[1, owner], [2, undefined]]);
});

test("an endpoint hears nothing of what happened before it was there", async (sql) => {
  const eventId = await recordEvent(sql);
  const endpoint = await createEndpoint(sql);
  await sql`update public.webhook_endpoints set created_at = clock_timestamp()`;

  await fanOut(sql, eventId);

  assertEquals(await deliveriesOf(sql, endpoint), []);
});

test("a replay brings what happened since then, also to who came later", async (sql) => {
  const events = [await recordEvent(sql), await recordEvent(sql, "refund.succeeded"), await recordEvent(sql)];
  const endpoint = await createEndpoint(sql, { event_types: ["payment.*"] });

  const replayed = await replay(sql, endpoint, { since: new Date(Date.now() - 60_000) });

  assertEquals(replayed, { replayed: 2, next_event_id: null });
  assertEquals((await claim(sql)).map(({ event_id }) => event_id), [events[0]!, events[2]!]);
});

test("a replay goes on where a part of it ended", async (sql) => {
  const endpoint = await createEndpoint(sql);
  const since = new Date(Date.now() - 60_000);
  const events = [await recordEvent(sql), await recordEvent(sql), await recordEvent(sql)];

  const first = await replay(sql, endpoint, { since, max_count: 2 });
  const second = await replay(sql, endpoint, { after_event_id: first.next_event_id, max_count: 2 });

  assertEquals([first, second], [{ replayed: 2, next_event_id: events[1]! }, { replayed: 1, next_event_id: null }]);
  assertEquals((await claim(sql)).map(({ event_id }) => event_id), events);
});

test("a replayed event is a new delivery with the same message id", async (sql) => {
  const endpoint = await createEndpoint(sql);
  const eventId = await happened(sql);
  await answer(sql, (await claim(sql))[0]!, { status: 200 });

  await replay(sql, endpoint, { event_id: eventId });
  const [again] = await claim(sql);

  const deliveries = await deliveriesOf(sql, endpoint);
  assertEquals([again!.event_id, deliveries.map(({ state }) => state)], [eventId, ["delivered", "sending"]]);
});

test("a replay of what waits for its next attempt tries it now, with all attempts before it", async (sql) => {
  const endpoint = await createEndpoint(sql);
  const eventId = await happened(sql);
  for (let attempt = 1; attempt <= 3; attempt++) {
    await answer(sql, (await claim(sql))[0]!, { status: 500 });
    await makeDue(sql);
  }
  await sql`update public.webhook_deliveries set due_at = now() + interval '2 hours'`;

  await replay(sql, endpoint, { event_id: eventId });

  assertEquals((await claim(sql)).length, 1);
  assertEquals((await deliveriesOf(sql, endpoint)).map(({ attempt_count }) => attempt_count), [1]);
});

test("a replay leaves alone what is being sent", async (sql) => {
  const endpoint = await createEndpoint(sql);
  const eventId = await happened(sql);
  const [claimed] = await claim(sql);

  await replay(sql, endpoint, { event_id: eventId });

  assertEquals(await claim(sql), []);
  assertEquals(await answer(sql, claimed!, { status: 200 }), true);
});

test("a replay needs an event that is meant for the endpoint", async (sql) => {
  const endpoint = await createEndpoint(sql, { event_types: ["refund.*"] });
  const eventId = await recordEvent(sql);

  for (const event_id of [eventId, crypto.randomUUID()]) {
    assertEquals(
      (await refusalOf(sql, (inner) => replay(inner, endpoint, { event_id })))[0],
      "webhook_event_not_found",
    );
  }
});

test("a disabled endpoint is neither replayed to nor tested", async (sql) => {
  const endpoint = await createEndpoint(sql);
  await sql`select public.disable_webhook_endpoint(${endpoint.id})`;

  const codes = [
    await refusalOf(sql, (inner) => replay(inner, endpoint, { since: new Date() })),
    await refusalOf(sql, (inner) => inner`select public.send_test_webhook(${endpoint.id})`),
  ].map(([code]) => code);

  assertEquals(codes, ["webhook_endpoint_disabled", "webhook_endpoint_disabled"]);
});

for (
  const how of [
    {},
    { since: new Date(), event_id: crypto.randomUUID() },
    { since: new Date(Date.now() - 32 * 86_400_000) },
    { since: new Date(), max_count: 0 },
  ]
) {
  test(`a replay of ${JSON.stringify(Object.keys(how))} is refused`, async (sql) => {
    const endpoint = await createEndpoint(sql);

    const [code] = await refusalOf(sql, (inner) => replay(inner, endpoint, { max_count: 100, ...how }));

    assertEquals(code, "invalid_argument");
  });
}
