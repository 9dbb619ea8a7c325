import { assertEquals } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { refusalOf } from "../events/events.ts";
import { answer, claim, createEndpoint, deliveriesOf, endLeases, happened } from "./webhooks.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("a claim brings all that it takes to post an event", async (sql) => {
  const url = "https://hooks.example.com/one";
  const { secret } = await createEndpoint(sql, { url });
  const eventId = await happened(sql);

  const [claimed] = await claim(sql);

  assertEquals([claimed!.url, claimed!.secrets, claimed!.event_id, claimed!.event_type, claimed!.data.amount], [
    url,
    [secret],
    eventId,
    "payment.succeeded",
    700,
  ]);
});

test("what is leased is nobody else's until the lease ends", async (sql) => {
  await createEndpoint(sql);
  const eventId = await happened(sql);
  const [first] = await claim(sql);

  const meanwhile = await claim(sql);
  await endLeases(sql);
  const [second] = await claim(sql);

  assertEquals([meanwhile, second!.event_id, second!.lease_token], [
    [],
    eventId,
    String(Number(first!.lease_token) + 1),
  ]);
});

test("who has lost the lease can neither end the delivery nor give it back", async (sql) => {
  const endpoint = await createEndpoint(sql);
  await happened(sql);
  const [late] = await claim(sql);
  await endLeases(sql);
  await claim(sql);

  const isWritten = await answer(sql, late!, { status: 200 });
  const [row] = await sql`select public.release_webhook_deliveries(${[late!.id]}, ${[late!.lease_token]}) as ids`;

  assertEquals([isWritten, row!.ids, (await deliveriesOf(sql, endpoint))[0]!.state], [false, [], "sending"]);
});

test("an answer after the lease's end counts if nobody has claimed the delivery since", async (sql) => {
  const endpoint = await createEndpoint(sql);
  await happened(sql);
  const [claimed] = await claim(sql);
  await endLeases(sql);

  assertEquals(await answer(sql, claimed!, { status: 204 }), true);
  assertEquals((await deliveriesOf(sql, endpoint))[0]!.state, "delivered");
});

test("what is given back is due at once, and no attempt is counted", async (sql) => {
  const endpoint = await createEndpoint(sql);
  await happened(sql);
  const [claimed] = await claim(sql);

  await sql`select public.release_webhook_deliveries(${[claimed!.id]}, ${[claimed!.lease_token]})`;
  await claim(sql);

  assertEquals((await deliveriesOf(sql, endpoint))[0]!.attempt_count, 1);
});

test("an endpoint has four deliveries on their way at first, more as they get through", async (sql) => {
  await createEndpoint(sql);
  for (let count = 0; count < 30; count++) await happened(sql);

  const sizes = [];
  for (let round = 0; round < 4; round++) {
    const claimed = await claim(sql);
    sizes.push(claimed.length, (await claim(sql)).length);
    for (const each of claimed) await answer(sql, each, { status: 200 });
  }

  assertEquals(sizes, [4, 0, 8, 0, 8, 0, 8, 0]);
});

for (
  const [name, attempt] of Object.entries<Parameters<typeof answer>[2]>({
    "fails": { status: 500 },
    "does not answer": { status: null, error: "timeout" },
    "is slow": { status: 200, duration_ms: 6_000 },
  })
) {
  test(`an endpoint that ${name} has one delivery on its way, and keeps no other waiting`, async (sql) => {
    const bad = await createEndpoint(sql);
    for (let count = 0; count < 6; count++) await happened(sql);
    for (const each of await claim(sql)) await answer(sql, each, attempt);
    const good = await createEndpoint(sql);
    for (let count = 0; count < 6; count++) await happened(sql);

    const claimed = await claim(sql);

    const endpoints = await sql`select endpoint_id from public.webhook_deliveries where id = any(${
      claimed.map(({ id }) => id)
    })`;
    const count = ({ id }: { id: string }) => endpoints.filter(({ endpoint_id }) => endpoint_id === id).length;
    assertEquals([count(bad), count(good)], [1, 4]);
  });
}

test("endpoints take turns when there is not room for all, however long one's have waited", async (sql) => {
  const { id } = await createEndpoint(sql);
  for (let count = 0; count < 2; count++) await createEndpoint(sql);
  for (let count = 0; count < 4; count++) await happened(sql);
  await sql`update public.webhook_deliveries set due_at = now() - interval '1 hour' where endpoint_id = ${id}`;

  const claimed = await claim(sql, 6);

  const shares = await sql`select count(*)::int as share from public.webhook_deliveries
    where id = any(${claimed.map(({ id }) => id)}) group by endpoint_id`;
  assertEquals(shares.map(({ share }) => share), [2, 2, 2]);
});

Deno.test("two workers that claim at the same moment keep an endpoint's bound together", async () => {
  const { sql, url } = await createTestDatabase();
  const other = connect(url);
  await sql.begin(async (sql) => {
    await createEndpoint(sql);
    for (let count = 0; count < 12; count++) await happened(sql);
  });

  const [first, meanwhile] = await sql.begin(async (sql) => [await claim(sql), await claim(other)]);
  const afterwards = await claim(other);

  assertEquals([first!.length, meanwhile, afterwards], [4, [], []]);
  await other.end();
  await sql.end();
});

for (const call of ["claim_webhook_deliveries(0)", "claim_webhook_deliveries(1, 0)", "claim_webhook_deliveries(501)"]) {
  test(`${call} is refused`, async (sql) => {
    assertEquals((await refusalOf(sql, (inner) => inner.unsafe(`select public.${call}`)))[0], "invalid_argument");
  });
}
