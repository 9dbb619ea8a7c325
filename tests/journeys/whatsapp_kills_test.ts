import { assert, assertEquals } from "@std/assert";
import { enqueueTemplate, passTime } from "../sql/whatsapp_outbound/outbound.ts";
import { change, inbox, status } from "../support/deliveries.ts";
import { DOUBTS } from "../../scripts/fakes/graph/choose_misbehaviour.ts";
import { LASTING_ANSWERS } from "../../scripts/fakes/graph/misbehaviour.ts";
import { type Messaging, messagingTest } from "../support/messaging.ts";
import { random } from "../../scripts/fakes/random.ts";
import { intentsOf, isThrough, Ledger, outOfOrder } from "./replies.ts";
import { until } from "../support/until.ts";
import { bundled, startAndKill } from "../support/killed_process.ts";

const KILLS = 100;
/** Between two of them time passes; in one, so many workers are killed by turns. */
const STORMS = 10;
const PROCESSES = 3;
const NUMBERS = ["100000000000001", "100000000000002", "100000000000003"];

/** Three messages to each of some more people, of which some must rather not arrive than twice. */
async function writeToMorePeople({ sql }: Messaging): Promise<void> {
  for (const phone of people.splice(0, 30)) {
    const phone_number_id = dice.pick(NUMBERS);
    for (let count = 0; count < 3; count++) {
      await enqueueTemplate(sql, {
        phone_number_id,
        recipient_phone: `+${phone}`,
        may_resend: dice.chance(0.8),
        max_attempts: 20,
      });
    }
  }
}

/** Keeps messages coming until it is told to end. */
async function feed(messaging: Messaging, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const [ready] = await messaging.sql`select count(*)::int from public.whatsapp_message_queue where state = 'ready'`;
    if (ready!.count < 30) await writeToMorePeople(messaging);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Kills so many senders, some at the same time, while there is always something to send. */
async function killInTurn(messaging: Messaging, count: number, kill: () => Promise<void>): Promise<void> {
  let left = count;
  async function again(): Promise<void> {
    while (left-- > 0) await kill();
  }
  await Promise.all([feed(messaging, () => left <= 0), ...Array.from({ length: PROCESSES }, again)]);
}

/** Meta reports all that it has to, and on something later from each number; so much time passes. */
async function letTimePass({ sql, graph, deliver }: Messaging, interval: string): Promise<void> {
  await graph.statuses.deliver({ copies: 2, shuffled: true, batch: 7 });
  await passTime(sql, interval);
  for (const phone_number_id of NUMBERS) {
    const later = status(`wamid.${crypto.randomUUID()}`, "sent", { biz_opaque_callback_data: crypto.randomUUID() });
    const metadata = { display_phone_number: "250788000000", phone_number_id };
    await deliver(change("messages", { ...inbox({ statuses: [later] }), metadata }));
  }
}

/** Until Meta has decided about every request that reached it before its sender died. */
async function untilDecided({ graph }: Messaging): Promise<void> {
  await until(() => graph.isIdle, "Meta has decided");
}

const dice = random(1);
/** To be written to; each has a lane, which waits for its first message to be decided. */
const people = Array.from({ length: 100_000 }, (_, at) => String(250788000000 + at));
const ledger = new Ledger();
const doubts = DOUBTS.filter(({ answer }) => !LASTING_ANSWERS.includes(answer));

messagingTest(
  "a sender that is killed a hundred times loses no message and sends none twice",
  {
    latencyMs: 10,
    misbehave: () => dice.chance(0.1) ? dice.pick(doubts) : undefined,
    course: (message) => ledger.note(message, ["sent", "delivered"]),
  },
  async (messaging) => {
    const { sql, graph, settings, work } = messaging;
    // A killed run holds its slot until the lease ends; here many are killed within one.
    await sql`insert into private.worker_runs (slot) select generate_series(5, 500)`;
    await using script = await bundled(new URL("./sender_process.ts", import.meta.url));

    for (let storm = 0; storm < STORMS; storm++) {
      await killInTurn(messaging, KILLS / STORMS, () => startAndKill(script.path, settings, 60));
      await untilDecided(messaging);
      // Leases end; now and then Meta keeps its statuses to itself until the next storm is over.
      await passTime(sql, "31 seconds");
      await sql`select private.tend_whatsapp_queue(1000)`;
      if (dice.chance(0.5)) await letTimePass(messaging, "11 minutes");
    }
    for (let tries = 0; !await isThrough(sql); tries++) {
      assert(tries < 50, "the queue becomes empty");
      await letTimePass(messaging, "11 minutes");
      await work();
    }
    await letTimePass(messaging, "0 seconds");

    const intents = await intentsOf(sql);
    assertEquals(graph.mailbox.doubles(), []);
    const wrong = intents.filter(({ id, state, failure_reason, may_resend }) => {
      const isSent = state === "sent" && ledger.arrivals(id) === 1;
      const isGivenUp = !may_resend && failure_reason === "unresolved" && ledger.arrivals(id) === 0;
      return !isSent && !isGivenUp;
    });
    assertEquals(wrong, []);
    assertEquals(outOfOrder(intents, ledger), []);
    const felt = intents.filter(({ was_in_doubt }) => was_in_doubt);
    assert(felt.length > KILLS / 2, `the kills were felt by ${felt.length}`);
  },
);
