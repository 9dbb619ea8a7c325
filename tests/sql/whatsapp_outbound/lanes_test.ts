import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import {
  claim,
  claimedIds,
  claimOnly,
  complete,
  enqueue,
  fail,
  graphError,
  openWindow,
  OTHER_PHONE,
  outcomeOf,
  passTime,
  report,
} from "./outbound.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("after_delivered: the next goes when this one has arrived", async (sql) => {
  await openWindow(sql);
  const first = await enqueue(sql, { ordering: "after_delivered" });
  const second = await enqueue(sql);
  const wamid = await complete(sql, await claimOnly(sql));

  assertEquals([await outcomeOf(sql, first), await claimedIds(sql)], ["sent", []]);
  await report(sql, first, wamid, "sent");
  assertEquals(await claimedIds(sql), []);
  await report(sql, first, wamid, "delivered");
  assertEquals(await claimedIds(sql), [second]);
});

for (const status of ["read", "played", "failed"]) {
  test(`after_delivered: ${status} ends the waiting too`, async (sql) => {
    await openWindow(sql);
    const first = await enqueue(sql, { ordering: "after_delivered" });
    const second = await enqueue(sql);
    const wamid = await complete(sql, await claimOnly(sql));

    await report(sql, first, wamid, status, { errors: [{ code: 131026 }] });

    assertEquals(await claimedIds(sql), [second]);
  });
}

test("after_delivered: a phone that is off holds the lane for a minute, not longer", async (sql) => {
  await openWindow(sql);
  const first = await enqueue(sql, { ordering: "after_delivered" });
  const second = await enqueue(sql);
  await complete(sql, await claimOnly(sql));

  await passTime(sql, "59 seconds");
  const before = await claimedIds(sql);
  await passTime(sql, "2 seconds");

  assertEquals([before, await claimedIds(sql), await outcomeOf(sql, first)], [[], [second], "sent"]);
});

test("ordering none: goes past whatever its person waits for", async (sql) => {
  await openWindow(sql);
  await enqueue(sql);
  await claimOnly(sql);
  const code = await enqueue(sql, { ordering: "none" });
  const next = await enqueue(sql);

  assertEquals([await claimedIds(sql), await outcomeOf(sql, next)], [[code], "blocked"]);
});

test("a burst to one person obeys the pair limit, and slows nobody else", async (sql) => {
  await openWindow(sql);
  await openWindow(sql, OTHER_PHONE);
  for (let count = 0; count < 42; count++) await enqueue(sql);

  const burst = await sendAll(sql);
  const other = await enqueue(sql, { recipient_phone: `+${OTHER_PHONE}` });
  const next = await claimedIds(sql);

  assertEquals([burst, next], [40, [other]]);
});

test("after its burst a person gets a message every six seconds", async (sql) => {
  await openWindow(sql);
  for (let count = 0; count < 43; count++) await enqueue(sql);
  await sendAll(sql);

  await passTime(sql, "7 seconds");
  const one = await sendAll(sql);
  await passTime(sql, "3 seconds");
  const none = await sendAll(sql);
  await passTime(sql, "3 seconds");

  assertEquals([one, none, await sendAll(sql)], [1, 0, 1]);
});

test("a burst that came in one claim is paced too", async (sql) => {
  await openWindow(sql);
  for (let count = 0; count < 43; count++) await enqueue(sql, { ordering: "none" });

  assertEquals((await claim(sql)).length, 40);
});

test("131056 rests the pair for 4^X seconds, and costs no attempt", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql, { max_attempts: 1 });

  const rests = [];
  for (let count = 0; count < 7; count++) {
    const { due_at, attempt_count } = await fail(sql, await claimOnly(sql), graphError(131056));
    const [{ now }] = await sql<[{ now: Date }]>`select now()`;
    rests.push([Math.round((due_at!.getTime() - now.getTime()) / 1000), attempt_count]);
    await passTime(sql, "1100 seconds");
  }

  assertEquals(rests, [[1, 0], [4, 0], [16, 0], [64, 0], [256, 0], [1024, 0], [1024, 0]]);
  assertEquals(await claimedIds(sql), [id]);
});

test("after 131056 there is no burst left", async (sql) => {
  await openWindow(sql);
  for (let count = 0; count < 4; count++) await enqueue(sql);
  await fail(sql, await claimOnly(sql), graphError(131056));
  await passTime(sql, "1 second");

  assertEquals(await sendAll(sql), 1);
});

/** Sends until nothing more may go; says how many went. */
async function sendAll(sql: Parameters<typeof claim>[0]): Promise<number> {
  for (let count = 0;; count++) {
    const claims = await claim(sql);
    if (claims.length === 0) return count;
    for (const each of claims) await complete(sql, each);
  }
}
