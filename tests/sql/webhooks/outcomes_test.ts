import { assert, assertEquals } from "@std/assert";
import type { JSONValue, TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { answer, claim, createEndpoint, deliveriesOf, endpointOf, happened, makeDue, toldOf } from "./webhooks.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

/** Standard Webhooks' schedule, in seconds, after the first attempt at once. */
const WAITS = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/** One attempt, and the seconds until the next; null if there is none. */
async function attempt(sql: TransactionSql, answered: Record<string, JSONValue>): Promise<number | null> {
  const [claimed] = await claim(sql, 1);
  await answer(sql, claimed!, answered);
  const [row] = await sql`select extract(epoch from due_at - now())::float as wait
    from public.webhook_deliveries where id = ${claimed!.id}`;
  return row?.wait ?? null;
}

test("attempts follow Standard Webhooks' schedule with a tenth of jitter, then the delivery is dead", async (sql) => {
  const endpoint = await createEndpoint(sql);
  await happened(sql);

  for (const wait of WAITS) {
    const waited = await attempt(sql, { status: 500, answer: "no" });
    assert(waited !== null && waited >= wait && waited <= wait * 1.1, `${waited} is about ${wait}`);
    await makeDue(sql);
  }
  assertEquals(await attempt(sql, { status: 503, answer: "at last" }), null);

  const [{ state, attempt_count, last_status, last_answer } = {}] = await deliveriesOf(sql, endpoint) as Partial<
    Awaited<ReturnType<typeof deliveriesOf>>[number]
  >[];
  assertEquals([state, attempt_count, last_status, last_answer], ["dead", 10, 503, "at last"]);
  const told = (await toldOf(sql, endpoint)).map(({ event_type, payload }) => [event_type, payload.attempt_count]);
  assertEquals(told, [["webhook_endpoint.failing", 10]]);
});

for (const status of [200, 202, 204, 299]) {
  test(`${status} ends a delivery`, async (sql) => {
    const endpoint = await createEndpoint(sql);
    await happened(sql);

    await attempt(sql, { status });

    assertEquals((await deliveriesOf(sql, endpoint))[0]!.state, "delivered");
  });
}

for (const status of [199, 301, 302, 307, 400, 401, 404, 409, 422, 429, 500, 503]) {
  test(`${status} is tried again`, async (sql) => {
    const endpoint = await createEndpoint(sql);
    await happened(sql);

    const wait = await attempt(sql, { status });

    assertEquals([wait !== null, (await endpointOf(sql, endpoint)).status], [true, "enabled"]);
  });
}

test("no answer is tried again, and says why there was none", async (sql) => {
  const endpoint = await createEndpoint(sql);
  await happened(sql);

  await attempt(sql, { status: null, error: "timeout" });

  const [{ state, last_status, last_error }] = await deliveriesOf(sql, endpoint) as [
    Awaited<ReturnType<typeof deliveriesOf>>[number],
  ];
  assertEquals([state, last_status, last_error], ["waiting", null, "timeout"]);
});

test("410 disables the endpoint: it is sent nothing any more", async (sql) => {
  const endpoint = await createEndpoint(sql);
  await happened(sql);
  await happened(sql);

  await attempt(sql, { status: 410 });

  const { status, disabled_reason } = await endpointOf(sql, endpoint);
  assertEquals([status, disabled_reason, await claim(sql)], ["disabled", "gone", []]);
  const told = (await toldOf(sql, endpoint)).map(({ event_type, payload }) => [event_type, payload.reason]);
  assertEquals(told, [["webhook_endpoint.failing", undefined], ["webhook_endpoint.disabled", "gone"]]);
});

for (const status of [429, 503]) {
  test(`${status} with Retry-After pauses the whole endpoint for as long as it says`, async (sql) => {
    await createEndpoint(sql);
    await happened(sql);
    await happened(sql);

    const wait = await attempt(sql, { status, retry_after: 600 });
    const meanwhile = await claim(sql);
    await makeDue(sql);

    assertEquals([wait, meanwhile, (await claim(sql)).length], [600, [], 1]);
  });
}

test("Retry-After shortens no wait, lengthens none beyond a day, and means nothing beside other answers", async (sql) => {
  const endpoint = await createEndpoint(sql);
  await happened(sql);

  const short = await attempt(sql, { status: 503, retry_after: 1 });
  await makeDue(sql);
  const long = await attempt(sql, { status: 503, retry_after: 999_999_999 });
  await makeDue(sql);
  await attempt(sql, { status: 500, retry_after: 600 });

  assert(short! >= 5 && short! <= 5.5);
  const [row] =
    await sql`select paused_until = '-infinity' as is_free from public.webhook_endpoints where id = ${endpoint.id}`;
  assertEquals([long, row!.is_free], [86_400, true]);
});

test("five days of nothing but failures disable an endpoint", async (sql) => {
  const endpoint = await createEndpoint(sql);
  await happened(sql);
  await attempt(sql, { status: 500 });
  await makeDue(sql);
  await sql`update public.webhook_endpoints set failing_from = now() - interval '4 days 23 hours'`;
  await attempt(sql, { status: 500 });
  await makeDue(sql);
  const before = (await endpointOf(sql, endpoint)).status;

  await sql`update public.webhook_endpoints set failing_from = now() - interval '5 days 1 second'`;
  await attempt(sql, { status: null, error: "connect_failed" });

  const { status, disabled_reason } = await endpointOf(sql, endpoint);
  assertEquals([before, status, disabled_reason], ["enabled", "disabled", "failing"]);
  assertEquals((await toldOf(sql, endpoint)).at(-1)!.payload.reason, "failing");
});

test("one event that gets through makes the endpoint well again", async (sql) => {
  const endpoint = await createEndpoint(sql);
  await happened(sql);
  await attempt(sql, { status: 500 });
  await happened(sql);

  await attempt(sql, { status: 200 });

  assertEquals((await endpointOf(sql, endpoint)).failing_from, null);
});

test("that an endpoint fails is told once a day, not for each dead delivery", async (sql) => {
  const endpoint = await createEndpoint(sql);
  for (let count = 0; count < 3; count++) await happened(sql);
  await sql`update public.webhook_deliveries set attempt_count = 9`;

  for (let count = 0; count < 2; count++) await attempt(sql, { status: 500 });
  await sql`update public.webhook_endpoints set failure_told_at = now() - interval '25 hours'`;
  await attempt(sql, { status: 500 });

  assertEquals((await deliveriesOf(sql, endpoint)).map(({ state }) => state), ["dead", "dead", "dead"]);
  assertEquals((await toldOf(sql, endpoint)).length, 2);
});

test("what is told of an endpoint names no address and no secret", async (sql) => {
  const endpoint = await createEndpoint(sql, { url: "https://hooks.example.com/token-1" });
  await happened(sql);

  await attempt(sql, { status: 410 });

  assertEquals(/token-1|whsec_|example/.test(JSON.stringify(await toldOf(sql, endpoint))), false);
});

for (const status of [200, 410, 500]) {
  test(`a test that is answered ${status} is one attempt, and no word about the endpoint`, async (sql) => {
    const endpoint = await createEndpoint(sql, { event_types: ["refund.*"] });

    const [row] = await sql`select public.send_test_webhook(${endpoint.id}) as id`;
    await attempt(sql, { status });

    const [delivery] = await deliveriesOf(sql, endpoint);
    assertEquals([delivery!.id, delivery!.state], [row!.id, status === 200 ? "delivered" : "dead"]);
    const { status: state, failing_from } = await endpointOf(sql, endpoint);
    assertEquals([state, failing_from, await toldOf(sql, endpoint)], ["enabled", null, []]);
  });
}

test("an answer is kept to its first thousand characters", async (sql) => {
  const endpoint = await createEndpoint(sql);
  await happened(sql);

  await attempt(sql, { status: 500, answer: "x".repeat(5_000) });

  assertEquals((await deliveriesOf(sql, endpoint))[0]!.last_answer, "x".repeat(1_000));
});
