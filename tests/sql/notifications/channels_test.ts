import { assert, assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { refusalOf } from "../events/events.ts";
import {
  claim,
  complete,
  createPerson,
  fail,
  makeDue,
  notify,
  type Outcomes,
  PHONE,
  providersOf,
  stateOf,
} from "./notifications.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

const EXPO = { token: "ExponentPushToken[xxxxxxxxxxxxxxxxxxxxxx]" };

function brief(outcomes: Outcomes): string[] {
  const told = Object.entries(outcomes).map(([channel, { state, reason }]) => [channel, state, reason]);
  return told.map((words) => words.filter(Boolean).join(" ")).sort();
}

test("the first channel that takes a notification ends it", async (sql) => {
  const person = await createPerson(sql);
  const notified = await notify(sql, person, {
    channels: ["sms", "email"],
    title: "Paid",
    body: "You were paid 700 RWF",
  });

  const [claimed] = await claim(sql);
  await complete(sql, claimed!);

  assertEquals([claimed!.address, claimed!.title, claimed!.body], [{ phone: PHONE }, "Paid", "You were paid 700 RWF"]);
  const [state, outcomes] = await stateOf(sql, notified);
  assertEquals([state, brief(outcomes)], ["sent", ["sms sent"]]);
  assertEquals((await sql`select from public.notification_deliveries`).length, 0);
});

for (const kind of ["rejected", "not_configured", "unknown"]) {
  test(`a channel that ends as ${kind} says so and lets the next one try at once`, async (sql) => {
    const person = await createPerson(sql);
    await sql`insert into public.push_endpoints (profile_id, service, address) values (${person}, 'expo', ${
      sql.json(EXPO)
    })`;
    const notified = await notify(sql, person, { channels: ["sms", "push"] });

    await fail(sql, (await claim(sql))[0]!, { kind });
    const [next] = await claim(sql, "push");
    await complete(sql, next!);

    const [state, outcomes] = await stateOf(sql, notified);
    assertEquals([state, brief(outcomes)], ["sent", ["push sent", `sms failed ${kind}`]]);
  });
}

test("a person without an address on a channel is tried on the next", async (sql) => {
  const person = await createPerson(sql);
  const notified = await notify(sql, person, { channels: ["push", "email", "sms"] });

  assertEquals([await claim(sql, "push"), await claim(sql, "email")], [[], []]);
  await complete(sql, (await claim(sql))[0]!);

  const [, outcomes] = await stateOf(sql, notified);
  assertEquals(brief(outcomes), ["email failed no_address", "push failed no_address", "sms sent"]);
});

test("a notification that no channel takes has failed, and is in the inbox", async (sql) => {
  const person = await createPerson(sql, { phone: null });
  const notified = await notify(sql, person, { channels: ["sms"] });

  await claim(sql);

  const [state, outcomes] = await stateOf(sql, notified);
  assertEquals([state, brief(outcomes)], ["failed", ["sms failed no_address"]]);
});

test("what may heal is tried again later, five times in all, then on the next channel", async (sql) => {
  const person = await createPerson(sql);
  const notified = await notify(sql, person, { channels: ["sms", "email"] });

  for (let attempt = 1; attempt <= 5; attempt++) {
    const [claimed] = await claim(sql);
    assertEquals([claimed!.attempt_count, await claim(sql)], [attempt, []]);
    await fail(sql, claimed!, { kind: "temporary" });
    assertEquals(await claim(sql), []);
    await makeDue(sql);
  }
  await claim(sql, "email");

  const [state, outcomes] = await stateOf(sql, notified);
  assertEquals([state, outcomes.sms!.attempts, brief(outcomes)], [
    "failed",
    5,
    ["email failed no_address", "sms failed temporary"],
  ]);
});

test("a provider's Retry-After counts more than our own delay", async (sql) => {
  const person = await createPerson(sql);
  await notify(sql, person, { channels: ["sms"] });

  await fail(sql, (await claim(sql))[0]!, { kind: "temporary", retry_after: 90 });

  const [row] =
    await sql`select extract(epoch from scheduled_at - now())::integer as wait from public.notification_deliveries`;
  assert(row!.wait >= 90 && row!.wait <= 113, `waits ${row!.wait} s`);
});

test("being asked to wait is no failed attempt, though not for ever", async (sql) => {
  const person = await createPerson(sql);
  const notified = await notify(sql, person, { channels: ["sms"] });

  let claims = 0;
  for (let [claimed] = await claim(sql); claimed; [claimed] = await claim(sql)) {
    claims++;
    await fail(sql, claimed, { kind: "temporary", retry_after: 1 });
    await makeDue(sql);
  }

  const [state, outcomes] = await stateOf(sql, notified);
  assertEquals([claims, state, brief(outcomes)], [34, "failed", ["sms failed temporary"]]);
});

test("what a provider says of our account is in the events, not in the inbox", async (sql) => {
  const person = await createPerson(sql);
  const notified = await notify(sql, person, { channels: ["sms"] });

  await fail(sql, (await claim(sql))[0]!, { kind: "rejected", provider: "twilio", code: "30005", detail: "no credit" });

  const [, { sms }] = await stateOf(sql, notified);
  const told = await providersOf(sql, notified);
  assertEquals(Object.keys(sms!).sort(), ["at", "attempts", "provider", "reason", "state"]);
  assertEquals([told.sms!.code, told.sms!.detail], ["30005", "no credit"]);
});

test("a worker whose lease ran out can neither complete nor fail the delivery", async (sql) => {
  const person = await createPerson(sql);
  await notify(sql, person, { channels: ["sms", "email"] });
  const [late] = await claim(sql);
  await sql`update public.notification_deliveries set lease_expires_at = now()`;
  await sql`select private.reap_notifications(10)`;

  const refusals = [
    await refusalOf(sql, (inner) => complete(inner, late!)),
    await refusalOf(sql, (inner) => fail(inner, late!, { kind: "rejected" })),
  ];

  assertEquals(refusals, [["lease_lost", null], ["lease_lost", null]]);
});

test("a text message of which nobody knows whether it went out is not sent again, a push message is", async (sql) => {
  const person = await createPerson(sql);
  await sql`insert into public.push_endpoints (profile_id, service, address) values (${person}, 'expo', ${
    sql.json(EXPO)
  })`;
  const texted = await notify(sql, person, { channels: ["sms"] });
  const pushed = await notify(sql, person, { channels: ["push"] });
  await claim(sql);
  await claim(sql, "push");
  await sql`update public.notification_deliveries set lease_expires_at = now()`;

  await sql`select private.reap_notifications(10)`;

  assertEquals((await stateOf(sql, texted))[0], "failed");
  assertEquals([(await claim(sql, "push")).length, (await stateOf(sql, pushed))[0]], [1, "waiting"]);
});

test("what is urgent is claimed first, and of equals what was due first", async (sql) => {
  const person = await createPerson(sql);
  await notify(sql, person, { channels: ["sms"], body: "last", priority: 9 });
  await notify(sql, person, { channels: ["sms"], body: "second" });
  await notify(sql, person, { channels: ["sms"], body: "third" });
  await notify(sql, person, { channels: ["sms"], body: "first", priority: 0 });

  const claimed = await claim(sql);

  assertEquals(claimed.map(({ body }) => body), ["first", "second", "third", "last"]);
});

test("what has expired is not sent and says so", async (sql) => {
  const person = await createPerson(sql);
  const notified = await notify(sql, person, { channels: ["sms"], expires_at: new Date(Date.now() + 60_000) });
  await sql`update public.notification_deliveries set expires_at = now()`;

  const claimed = await claim(sql);

  const [state, outcomes] = await stateOf(sql, notified);
  assertEquals([claimed, state, brief(outcomes)], [[], "not_sent", ["sms not_sent expired"]]);
});

test("each end of a delivery is an event of the notification", async (sql) => {
  const person = await createPerson(sql);
  const notified = await notify(sql, person, { channels: ["sms"] });

  await complete(sql, (await claim(sql))[0]!);

  const events =
    await sql`select aggregate_id, event_type from public.event_store where aggregate_type = 'notification'`;
  assertEquals([...events.map((event) => Object.values(event))], [[notified.notification_id, "notification.sent"]]);
});

for (
  const [argument, call] of [
    ["max_count", "claim_notifications('sms', 0)"],
    ["lease_seconds", "claim_notifications('sms', 1, 0)"],
    ["channel", "claim_notifications('whatsapp')"],
    ["channel", "claim_notifications('inbox')"],
  ] as const
) {
  test(`${call} is refused for its ${argument}`, async (sql) => {
    const [code, details] = await refusalOf(sql, (inner) => inner.unsafe(`select public.${call}`));

    assertEquals([code, (details as { argument: string }).argument], ["invalid_argument", argument]);
  });
}

test("what is given back untouched is claimed again, as if it had not been", async (sql) => {
  const person = await createPerson(sql);
  await notify(sql, person, { channels: ["sms"] });
  const [first] = await claim(sql);

  await sql`select public.release_notification(${first!.delivery_id}, ${first!.lease_token})`;
  const [second] = await claim(sql);
  const [code] = await refusalOf(
    sql,
    (inner) => inner`select public.release_notification(${first!.delivery_id}, ${first!.lease_token})`,
  );

  assertEquals([second!.delivery_id, second!.attempt_count, code], [first!.delivery_id, 1, "lease_lost"]);
});

test("a claimed delivery says which notification it brings, and until when", async (sql) => {
  const person = await createPerson(sql);
  const expires_at = new Date(Date.now() + 60_000);
  const { notification_id } = await notify(sql, person, { channels: ["sms"], expires_at });

  const [claimed] = await claim(sql);

  assertEquals([claimed!.notification_id, claimed!.expires_at], [notification_id, expires_at]);
});
