import { assertEquals, assertStringIncludes } from "@std/assert";
import { converse } from "shared/conversation/converse.ts";
import { readSession } from "shared/conversation/session.ts";
import { TEXTS } from "shared/conversation/texts/texts.ts";
import { messages, text } from "../support/deliveries.ts";
import { type Messaging, messagingTest } from "../support/messaging.ts";
import { DROPOFF, openDriver, PICKUP } from "../sql/trips/trips.ts";
import { bodyOf, choicesOf } from "../shared/conversation/dialogue.ts";
import { at, repliesTo, SOURCES, switchOn, tapOn, tapped, untilSaid } from "./chat.ts";

const { rw, en } = TEXTS;

messagingTest("a person is led from a greeting to the question where to go", {}, async (messaging) => {
  const { deliver, sql } = messaging;
  await switchOn(messaging);

  await deliver(messages(text()));
  const [menu] = await untilSaid(messaging, 1);
  await deliver(messages(tapOn(menu!, "ride")));
  const [, vehicles] = await untilSaid(messaging, 2);
  await deliver(messages(tapOn(vehicles!, "vehicle")));
  await untilSaid(messaging, 3);
  await deliver(messages(at(-1.9365, 30.1287)));
  const replies = await untilSaid(messaging, 4);

  assertEquals(replies.slice(0, 3).map(bodyOf), [rw.menu.body, rw.chooseVehicle, rw.askPickup]);
  assertStringIncludes(bodyOf(replies[3]!), rw.askDropoff);
  const [session] = await sql`select state, version, context -> 'vehicle' as vehicle from public.whatsapp_sessions`;
  assertEquals({ ...session }, { state: "dropoff", version: 5, vehicle: "moto" });
});

messagingTest("a message that Meta brings again is answered once", {}, async (messaging) => {
  await switchOn(messaging);
  const message = text();

  for (let copy = 0; copy < 3; copy++) await messaging.deliver(messages(message, ...(copy === 2 ? [text()] : [])));
  await untilSaid(messaging, 2);
  await messaging.work(SOURCES);

  assertEquals((await repliesTo(messaging)).length, 2);
});

messagingTest("of two quick taps on one button the second is told that it is old", {}, async (messaging) => {
  await switchOn(messaging);
  await messaging.deliver(messages(text()));
  const [menu] = await untilSaid(messaging, 1);

  await messaging.deliver(messages(tapOn(menu!, "ride"), tapOn(menu!, "ride")));
  const replies = await untilSaid(messaging, 4);

  assertEquals(replies.slice(1).map(bodyOf), [rw.chooseVehicle, rw.oldButton, rw.chooseVehicle]);
});

messagingTest("a worker that dies in the middle leaves one answer, by the next", {}, async (messaging) => {
  const { sql, deliver } = messaging;
  await switchOn(messaging);
  await deliver(messages(text()));
  await messaging.workUntil(async () => (await sql`select from public.message_queue`).length === 1);
  const [claimed] = await sql`select public.claim_conversation_turns(1, 1) as turn`;

  const replies = await untilSaid(messaging, 1, () => sql`select private.expire_leases(100)`);
  const late = await finishOf(messaging, claimed!.turn);

  assertEquals([replies.length, late], [1, "lease_lost"]);
});

messagingTest("a trip is requested, offered to a driver and accepted, all on WhatsApp", {}, async (messaging) => {
  const { sql, deliver } = messaging;
  const driver = await openDriver(sql);
  await sql`update public.profiles set phone = '+250788000002', full_name = 'Jean-Paul' where id = ${driver.id}`;
  await switchOn(messaging);
  await deliver(messages(text({ from: "250788000002" })));
  await untilSaid(messaging, 1);
  await deliver(messages(text()));
  const [, menu] = await untilSaid(messaging, 2);
  await deliver(messages(tapOn(menu!, "ride")));
  const vehicles = (await untilSaid(messaging, 3))[2]!;
  await deliver(messages(tapOn(vehicles, "vehicle")));
  await untilSaid(messaging, 4);
  await deliver(messages(at(PICKUP.lat, PICKUP.lng)));
  await untilSaid(messaging, 5);
  await deliver(messages(at(DROPOFF.lat, DROPOFF.lng)));
  const quote = (await untilSaid(messaging, 6))[5]!;
  const cash = choicesOf(quote)[2]!.id;
  await deliver(messages(tapped(cash)));
  const offers = (await untilSaid(messaging, 8)).slice(6);
  const offered = offers.find((reply) => choicesOf(reply).some(({ id }) => id.includes(":accept")))!;
  await deliver(messages({ ...tapOn(offered, "move"), from: "250788000002" }));
  const told = (await untilSaid(messaging, 10)).slice(8);

  const [trip] = await sql`select status, driver_id, payment_method from public.trips`;
  assertEquals({ ...trip }, { status: "accepted", driver_id: driver.id, payment_method: "cash" });
  assertEquals(told.filter((reply) => bodyOf(reply).includes("Jean-Paul")).length, 1);
});

messagingTest("a command of a message runs once and gives its first outcome again", {}, async (messaging) => {
  const { sql, deliver } = messaging;
  await switchOn(messaging);
  await deliver(messages(text()));
  await untilSaid(messaging, 1);
  const [{ id, contact_id }] = await sql`select id, contact_id from public.whatsapp_messages` as never as [
    { id: string; contact_id: string },
  ];
  const run = () => sql`select public.run_conversation_command(${id}, ${contact_id}, '{"name": "wallet"}') as outcome`;

  const [first] = await run();
  const [second] = await run();

  assertEquals(first!.outcome, { balance: "0", currency: "RWF", lines: [] });
  assertEquals(second!.outcome, first!.outcome);
  assertEquals((await sql`select from private.conversation_commands`).length, 1);
});

messagingTest(
  "a number where the bot is off is left to others, and so is what was written before",
  {},
  async (messaging) => {
    const { sql, deliver, work } = messaging;
    await deliver(messages(text({ timestamp: String(Math.floor(Date.now() / 1000) - 60) })));
    await switchOn(messaging);
    await deliver(
      messages(
        text({ type: "reaction", reaction: { message_id: "wamid.x", emoji: "👍" } }),
        text({ text: { body: "123456" } }),
      ),
    );
    await deliver(messages(text()));

    await untilSaid(messaging, 1);
    await work(SOURCES);

    assertEquals((await repliesTo(messaging)).length, 1);
    assertEquals((await sql`select from public.message_queue`).length, 0);
  },
);

messagingTest("stop silences the bot by the ledger of consents, start brings it back", {}, async (messaging) => {
  await switchOn(messaging);
  await messaging.deliver(
    messages(text({ text: { body: "Hagarika" }, timestamp: String(Math.floor(Date.now() / 1000) - 5) })),
  );
  await messaging.workUntil(async () =>
    (await messaging.sql`select from public.whatsapp_session_transitions`).length === 0
  );
  await messaging.deliver(messages(text({ text: { body: "Tangira" } })));

  const replies = await untilSaid(messaging, 1);

  assertEquals(replies.map(bodyOf), [rw.welcomeBack]);
});

messagingTest(
  "every reply of every state passes the checks of the send queue, in every language",
  {},
  async ({ sql }) => {
    const replies = (["en", "fr", "rw", "sw"] as const).flatMap((locale) =>
      ["0", "?"].flatMap((body) => {
        const session = readSession({ state: "idle", context: {}, version: 1, locale });
        const person = { has_phone: false, driver: null, places: [{ id: "p1", lat: 0, lng: 0, label: "Home" }] };
        const say = (message: Record<string, unknown>) =>
          converse(session, person, { kind: "message", message, consent: null }, new Date()).replies;
        const menu = say({ type: "text", text: { body } });
        return [
          ...menu,
          ...menu.flatMap(choicesOf).flatMap(({ id }) =>
            converse({ ...session, version: 2 }, person, {
              kind: "message",
              message: { type: "interactive", interactive: { list_reply: { id } } },
              consent: null,
            }, new Date()).replies
          ),
        ];
      })
    );

    const problems = await Promise.all(replies.map(async ({ type, payload }) => {
      const [row] = await sql`select private.whatsapp_payload_problems(${type}, ${
        sql.json(payload as never)
      }) as problems`;
      return row!.problems;
    }));

    assertEquals(replies.length > 30, true);
    assertEquals(problems.filter((list) => list.length > 0), []);
    assertEquals(en.menu.body, bodyOf(replies[0]!));
  },
);

/** What finishing a turn says whose lease is over. */
async function finishOf(
  { sql }: Messaging,
  turn: { id: number; lease_token: number; session: { id: string; version: number } },
) {
  try {
    await sql`select public.finish_conversation_turn(${turn.id}, ${turn.lease_token}, ${turn.session.id}, ${turn.session.version},
      '{"state": "idle", "context": {}, "locale": "rw"}', '[]')`;
    return "finished";
  } catch (error) {
    return JSON.parse((error as Error).message).code;
  }
}
