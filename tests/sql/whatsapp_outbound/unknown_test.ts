import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { NUMBER, secondsAgo } from "../../support/deliveries.ts";
import { refusalOf } from "../whatsapp/sessions.ts";
import {
  type Claim,
  claimedIds,
  claimOnly,
  complete,
  type Draft,
  enqueue,
  fail,
  graphError,
  openWindow,
  OTHER_PHONE,
  outbound,
  outcomeOf,
  passTime,
  report,
  tend,
} from "./outbound.ts";

type Transaction = Parameters<typeof report>[0];

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

test("a worker that dies leaves its message unknown, and its lane waiting", async (sql) => {
  const { id } = await loseWorker(sql);
  await enqueue(sql);

  assertEquals([await outcomeOf(sql, id), await claimedIds(sql)], ["unknown", []]);
});

for (
  const error of [
    { kind: "unknown" },
    graphError(131000, { http_status: 500 }),
    graphError(999999, { http_status: 502, is_transient: true }),
  ]
) {
  test(`an answer that leaves doubt makes a message unknown: ${JSON.stringify(error)}`, async (sql) => {
    await openWindow(sql);
    await enqueue(sql);

    assertEquals((await fail(sql, await claimOnly(sql), error)).state, "unknown");
  });
}

test("a 5xx that says by its code why nothing was sent leaves no doubt", async (sql) => {
  await openWindow(sql);
  await enqueue(sql);

  assertEquals((await fail(sql, await claimOnly(sql), graphError(131045, { http_status: 500 }))).state, "ready");
});

test("a status with our id says that it was sent after all", async (sql) => {
  const { id } = await loseWorker(sql);
  const next = await enqueue(sql);

  await report(sql, id, "wamid.lost", "sent");

  const { state, wamid } = await outbound(sql, id);
  assertEquals([state, wamid, await claimedIds(sql)], ["sent", "wamid.lost", [next]]);
});

test("it then stands in the conversation, with its statuses", async (sql) => {
  const { id } = await loseWorker(sql);

  await report(sql, id, "wamid.lost", "delivered");

  const [row] = await sql`
    select message.wamid, status.status from public.whatsapp_messages as message
    join public.whatsapp_message_statuses as status on status.message_id = message.id
    where message.direction = 'outbound'`;
  assertEquals(row, { wamid: "wamid.lost", status: "delivered" });
});

test("a status that overtakes the answer settles the message, and the answer changes nothing", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql);
  const claim = await claimOnly(sql);
  await report(sql, id, "wamid.1", "sent");

  await complete(sql, claim, "wamid.1");

  const count = await sql`select from public.whatsapp_messages where direction = 'outbound'`;
  assertEquals([await outcomeOf(sql, id), count.length], ["sent", 1]);
});

test("an answer after the lease's end counts, as long as nobody has claimed the message again", async (sql) => {
  const claim = await loseWorker(sql);

  await complete(sql, claim, "wamid.late");

  assertEquals((await outbound(sql, claim.id)).wamid, "wamid.late");
});

test("an answer counts even when the message was already to be sent again", async (sql) => {
  const claim = await loseWorker(sql);
  await passTime(sql, "11 minutes");
  await reportOther(sql);
  await tend(sql);
  const before = await outcomeOf(sql, claim.id);

  await complete(sql, claim, "wamid.late");

  assertEquals([before, await outcomeOf(sql, claim.id)], ["ready", "sent"]);
});

test("an answer of a lost lease is refused, and the other claim is undisturbed", async (sql) => {
  const claim = await loseWorker(sql);
  await passTime(sql, "11 minutes");
  await reportOther(sql);
  await claimOnly(sql);

  const refusals = [
    await refusalOf(sql, (inner) => complete(inner, claim)),
    await refusalOf(sql, (inner) => fail(inner, claim, graphError(131026))),
  ];

  assertEquals([refusals.map(([code]) => code), await outcomeOf(sql, claim.id)], [
    ["lease_lost", "lease_lost"],
    "sending",
  ]);
});

test("silence is no proof: nothing is sent again while Meta reports on nothing", async (sql) => {
  const { id } = await loseWorker(sql);

  await passTime(sql, "59 minutes");

  assertEquals([await claimedIds(sql), await outcomeOf(sql, id)], [[], "unknown"]);
});

test("after an hour of silence it fails as unresolved, and the lane goes on", async (sql) => {
  const { id } = await loseWorker(sql);
  const next = await enqueue(sql);

  await passTime(sql, "61 minutes");

  assertEquals([await claimedIds(sql), await outcomeOf(sql, id)], [[next], "failed: unresolved"]);
});

test("once Meta has reported on what was sent later, it is sent again, at the cost of an attempt", async (sql) => {
  const { id } = await loseWorker(sql);
  await passTime(sql, "11 minutes");

  await reportOther(sql);

  assertEquals([await claimedIds(sql), (await outbound(sql, id)).attempt_count], [[id], 2]);
});

test("not within the quiet period", async (sql) => {
  const { id } = await loseWorker(sql);
  await passTime(sql, "9 minutes");

  await reportOther(sql);

  assertEquals([await claimedIds(sql), await outcomeOf(sql, id)], [[], "unknown"]);
});

test("not for what Meta reported on before", async (sql) => {
  await reportOther(sql, "60");
  const { id } = await loseWorker(sql);

  await passTime(sql, "11 minutes");

  assertEquals([await claimedIds(sql), await outcomeOf(sql, id)], [[], "unknown"]);
});

test("may_resend false: rather not at all than twice", async (sql) => {
  const { id } = await loseWorker(sql, { may_resend: false });
  await passTime(sql, "11 minutes");

  await reportOther(sql);

  assertEquals([await claimedIds(sql), await outcomeOf(sql, id)], [[], "failed: unresolved"]);
});

test("a reaction is sent again in any case: twice is once", async (sql) => {
  const { id } = await loseWorker(sql, {
    message_type: "reaction",
    message_payload: { reaction: { message_id: "wamid.1", emoji: "👍" } },
  });

  await passTime(sql, "11 minutes");

  assertEquals(await claimedIds(sql), [id]);
});

test("it is sent again only as often as it has attempts", async (sql) => {
  const { id } = await loseWorker(sql, { max_attempts: 1 });
  await passTime(sql, "11 minutes");

  await reportOther(sql);
  await tend(sql);

  assertEquals(await outcomeOf(sql, id), "failed: attempts_exhausted");
});

test("a status that comes after it failed as unresolved says that it was sent after all", async (sql) => {
  const { id } = await loseWorker(sql);
  await passTime(sql, "61 minutes");
  await tend(sql);

  await report(sql, id, "wamid.lost", "sent");

  assertEquals([await outcomeOf(sql, id), (await outbound(sql, id)).wamid], ["sent", "wamid.lost"]);
});

test("if it proves to have been sent twice, both copies are known", async (sql) => {
  const { id } = await loseWorker(sql);
  await passTime(sql, "11 minutes");
  await reportOther(sql);
  await complete(sql, await claimOnly(sql), "wamid.second");

  await report(sql, id, "wamid.first", "delivered");

  const { state, wamid, former_wamids } = await outbound(sql, id);
  assertEquals([state, wamid, former_wamids], ["sent", "wamid.second", ["wamid.first"]]);
});

test("if the first copy's status comes while the second is on its way, both are known too", async (sql) => {
  const { id } = await loseWorker(sql);
  await passTime(sql, "11 minutes");
  await reportOther(sql);
  const second = await claimOnly(sql);
  await report(sql, id, "wamid.first", "sent");

  await complete(sql, second, "wamid.second");

  const { state, wamid, former_wamids } = await outbound(sql, id);
  assertEquals([state, wamid, former_wamids], ["sent", "wamid.first", ["wamid.second"]]);
});

test("a status of an attempt that failed before says nothing of the next one", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql);
  const wamid = await complete(sql, await claimOnly(sql));
  await report(sql, id, wamid, "failed", { errors: [{ code: 131000 }] });
  await passTime(sql, "1 minute");
  await claimOnly(sql);

  await report(sql, id, wamid, "sent");

  assertEquals(await outcomeOf(sql, id), "sending");
});

test("a message that never left us goes again soon, at no cost", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql, { max_attempts: 1 });
  const { attempt_count } = await fail(sql, await claimOnly(sql), { kind: "not_sent" });

  await passTime(sql, "10 seconds");

  assertEquals([attempt_count, await claimedIds(sql)], [0, [id]]);
});

test("what is released may be claimed at once, at no cost; what is not held is left out", async (sql) => {
  await openWindow(sql);
  await openWindow(sql, OTHER_PHONE);
  const mine = await enqueue(sql, { max_attempts: 1 });
  const done = await enqueue(sql, { recipient_phone: `+${OTHER_PHONE}` });
  await claimedIds(sql);
  await fail(sql, { ...NO_CLAIM, id: done, lease_token: "1" }, graphError(131026));

  const [row] = await sql`select public.release_whatsapp_messages(${[mine, done]}, ${[1, 1]}::bigint[]) as released`;

  assertEquals([row!.released, await claimedIds(sql)], [[mine], [mine]]);
});

test("answers repeated change nothing", async (sql) => {
  await openWindow(sql);
  const id = await enqueue(sql, { max_attempts: 3 });
  const claim = await claimOnly(sql);

  const first = await fail(sql, claim, graphError(131000));
  const again = await fail(sql, claim, graphError(131000));

  assertEquals(again, first);
  await passTime(sql, "1 minute");
  const next = await claimOnly(sql);
  await complete(sql, next, "wamid.1");
  await complete(sql, next, "wamid.1");
  assertEquals((await outbound(sql, id)).wamid, "wamid.1");
});

const NO_CLAIM = { lease_expires_at: new Date(), phone_number_id: NUMBER, request: {}, correlation_id: null };

/** Enqueues, claims, and lets the lease run out. */
async function loseWorker(sql: Transaction, draft: Draft = {}): Promise<Claim> {
  await openWindow(sql);
  await enqueue(sql, draft);
  const claim = await claimOnly(sql);
  await passTime(sql, "61 seconds");
  await tend(sql);
  return claim;
}

/** A status of another message of ours, from the same number. */
async function reportOther(sql: Transaction, secondsEarlier = "0"): Promise<void> {
  const timestamp = secondsAgo(Number(secondsEarlier) - 2);
  await report(sql, crypto.randomUUID(), `wamid.${crypto.randomUUID()}`, "sent", { timestamp });
}
