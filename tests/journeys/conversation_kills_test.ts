import { assert, assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { buttonId } from "shared/conversation/button_id.ts";
import { TEXTS } from "shared/conversation/texts/texts.ts";
import { bodyOf } from "../shared/conversation/dialogue.ts";
import { DROPOFF, PICKUP } from "../sql/trips/trips.ts";
import { bundled, startAndKill } from "../support/killed_process.ts";
import { messages } from "../support/deliveries.ts";
import { type Messaging, messagingTest } from "../support/messaging.ts";
import { until } from "../support/until.ts";
import { at, repliesTo, switchOn, tapped } from "./chat.ts";

const PEOPLE = Array.from({ length: 30 }, (_, at) => String(250788000100 + at));
const MOST_KILLS = 40;
const WITHIN_MS = 100;

messagingTest(
  "a worker that is killed in the middle of conversations answers each message once, and orders each trip once",
  {},
  async (messaging) => {
    const { sql, settings, work } = messaging;
    await switchOn(messaging);
    // A killed run holds its slot until the lease ends; here many are killed within one.
    await sql`insert into private.worker_runs (slot) select generate_series(5, 500)`;
    // More lives than kills: to give up after eight is another story.
    await sql`select private.create_queue('conversation', max_attempts => 1000)`;
    await using script = await bundled(new URL("./bot_process.ts", import.meta.url));
    for (const phone of PEOPLE) await orderIn(messaging, phone);
    await until(async () => {
      await work("?sources=subscriptions");
      return await leftIn(sql) === PEOPLE.length * 5;
    }, "all is heard");

    let felt = 0;
    for (let kills = 0; kills < MOST_KILLS && await leftIn(sql) > 0; kills++) {
      await startAndKill(script.path, settings, WITHIN_MS);
      felt += await endLeases(sql);
    }
    await until(async () => {
      await work("?sources=subscriptions,conversation");
      await endLeases(sql);
      return await leftIn(sql) === 0;
    }, "all is answered");

    const { rw } = TEXTS;
    for (const phone of PEOPLE) {
      const said = (await repliesTo(messaging, phone)).map(bodyOf);
      assertEquals([said.length, said[0], said[1], said[4]], [5, rw.chooseVehicle, rw.askPickup, rw.requested]);
    }
    const trips = await sql`select count(*)::int, count(distinct rider_id)::int as riders from public.trips`;
    assertEquals({ ...trips[0] }, { count: PEOPLE.length, riders: PEOPLE.length });
    assert(felt > 10, `the kills were felt by ${felt} messages`);
  },
);

/** All that leads from nothing to a trip, at once: buttons that go with no version of the session. */
async function orderIn({ deliver }: Messaging, phone: string): Promise<void> {
  const tap = (action: string, argument = "") =>
    tapped(buttonId({ action, argument, version: 0, expiresAt: Date.now() + 3_600_000 }));
  const steps = [
    tap("ride"),
    tap("vehicle", "moto"),
    at(PICKUP.lat, PICKUP.lng),
    at(DROPOFF.lat, DROPOFF.lng),
    tap("pay", "cash"),
  ];
  for (const step of steps) await deliver(messages({ ...step, from: phone }));
}

/** What is still to be answered. */
async function leftIn(sql: Sql): Promise<number> {
  return (await sql`select from public.message_queue where queue_name = 'conversation'`).length;
}

/** As when a minute has passed since the workers died; says how many messages they held. */
async function endLeases(sql: Sql): Promise<number> {
  const held = await sql`
    update public.message_queue set due_at = now() - interval '1 second' where state = 'leased' returning id`;
  await sql`select private.expire_leases(1000)`;
  return held.length;
}
