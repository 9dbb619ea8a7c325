import { assertEquals, assertGreater } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import {
  claim,
  claimOne,
  complete,
  enqueue,
  enqueueAll,
  extend,
  fail,
  finished,
  openQueue,
  pass,
  refusalOf,
  release,
  states,
  tend,
} from "./queues.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("complete_messages() takes messages out of the queue and into the history", async (sql) => {
  await openQueue(sql);
  await enqueueAll(sql, [{ payload: { secret: 1 } }, {}]);
  const claimed = await claim(sql);

  const ids = await complete(sql, claimed);

  assertEquals(ids, claimed.map(({ id }) => id));
  assertEquals(await states(sql), []);
  assertEquals((await finished(sql)).map(({ message_id, outcome, payload }) => [message_id, outcome, payload]), [
    [ids[0], "completed", null],
    [ids[1], "completed", null],
  ]);
});

test("complete_messages() completes nothing twice", async (sql) => {
  await openQueue(sql);
  await enqueue(sql);
  const claimed = await claim(sql);

  assertEquals([(await complete(sql, claimed)).length, (await complete(sql, claimed)).length], [1, 0]);
});

const ACTIONS = {
  complete,
  fail,
  release,
  extend: (sql: Parameters<typeof extend>[0], leases: Parameters<typeof extend>[1]) => extend(sql, leases, 60),
};

for (const [name, action] of Object.entries(ACTIONS)) {
  test(`a worker whose lease ran out cannot ${name} what another has by now`, async (sql) => {
    await openQueue(sql);
    await enqueue(sql);
    const late = await claimOne(sql);
    await pass(sql, "61 seconds");
    await tend(sql);
    const current = await claimOne(sql);

    const acted = await action(sql, [late]);

    assertEquals(acted, []);
    assertEquals(late.id, current.id);
    assertEquals(await complete(sql, [current]), [current.id]);
  });

  test(`a worker that has given a message back cannot ${name} it`, async (sql) => {
    await openQueue(sql);
    await enqueue(sql);
    const given = await claimOne(sql);
    await release(sql, [given]);

    assertEquals(await action(sql, [given]), []);
    assertEquals(await states(sql), ["ready"]);
  });

  test(`a token of one message does not ${name} another`, async (sql) => {
    await openQueue(sql);
    await enqueueAll(sql, [{}, {}]);
    const [one, other] = await claim(sql);

    const acted = await action(sql, [{ id: one!.id, lease_token: "999999" }, {
      id: "999999",
      lease_token: other!.lease_token,
    }]);

    assertEquals(acted, []);
    assertEquals(await states(sql), ["leased", "leased"]);
  });
}

test("lease tokens rise with each claim, also after a release, a failure and a lease that ran out", async (sql) => {
  await openQueue(sql, { shortest_backoff: "0", longest_backoff: "0" });
  await enqueue(sql);
  const tokens: number[] = [];

  for (const end of [release, fail, () => pass(sql, "61 seconds").then(() => tend(sql)), complete]) {
    const message = await claimOne(sql);
    tokens.push(Number(message.lease_token));
    await end(sql, [message]);
  }

  tokens.slice(1).forEach((token, n) => assertGreater(token, tokens[n]!));
});

test("a lease that ran out still counts until somebody else has the message", async (sql) => {
  await openQueue(sql);
  await enqueue(sql);
  const late = await claimOne(sql);
  await pass(sql, "61 seconds");

  assertEquals(await complete(sql, [late]), [late.id]);
});

test("a lease that ran out has cost an attempt; released, it has not", async (sql) => {
  await openQueue(sql);
  await enqueue(sql);
  await release(sql, [await claimOne(sql)]);
  assertEquals((await claimOne(sql)).attempt_count, 1);

  await pass(sql, "61 seconds");
  await tend(sql);

  const again = await claimOne(sql);
  assertEquals([again.attempt_count, again.last_error], [2, "the lease ran out"]);
});

test("a message whose last lease ran out is dead", async (sql) => {
  await openQueue(sql);
  await enqueue(sql, { max_attempts: 1 });
  await claimOne(sql);

  await pass(sql, "61 seconds");
  await tend(sql);

  assertEquals(await states(sql), ["dead"]);
});

test("extend_messages() keeps a lease from running out", async (sql) => {
  await openQueue(sql);
  await enqueue(sql);
  const message = await claimOne(sql);

  assertEquals(await extend(sql, [message], 120), [message.id]);
  await pass(sql, "61 seconds");
  await tend(sql);

  assertEquals(await states(sql), ["leased"]);
});

test("what acts on leases refuses lists of different lengths, and more than a thousand", async (sql) => {
  const refused = await refusalOf(sql, (inner) => inner`select public.complete_messages('{1,2}', '{1}')`);
  const [tooMany] = await refusalOf(
    sql,
    (inner) => inner`select public.complete_messages(array_fill(1::bigint, '{1001}'), array_fill(1::bigint, '{1001}'))`,
  );

  assertEquals([refused[0], tooMany], ["invalid_argument", "invalid_argument"]);
});
