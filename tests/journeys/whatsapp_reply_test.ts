import { assertEquals } from "@std/assert";
import { passTime } from "../sql/whatsapp_outbound/outbound.ts";
import { messages, status, statuses, text } from "../support/deliveries.ts";
import { DOUBTS, REFUSALS } from "../../scripts/fakes/graph/choose_misbehaviour.ts";
import type { Course } from "../../scripts/fakes/graph/message_status.ts";
import { type Messaging, messagingTest } from "../support/messaging.ts";
import { type Random, random } from "../../scripts/fakes/random.ts";
import { answerEverybody, type Intent, intentsOf, isThrough, Ledger, outOfOrder } from "./replies.ts";

const PEOPLE = Array.from({ length: 8 }, (_, at) => `25078800001${at}`);
const ROUNDS = 5;
/** Reasons that would mean that a message was lost on the way, as time does not run out here and Meta reports in time. */
const LOST = ["unresolved", "expired"];

/** What becomes of a message that Meta took. */
function someCourse(dice: Random): Course {
  if (dice.chance(0.15)) return ["sent", dice.pick([131000, 131026, 131047, 131049, 131053])];
  return dice.pick<Course>([["sent", "delivered", "read"], ["sent", "read"], ["delivered"], ["sent"]]);
}

/** Everybody writes to us; Meta brings some of it twice. */
async function everybodyWrites({ deliver }: Messaging, dice: Random): Promise<void> {
  const deliveries = PEOPLE.map((from) => messages(text({ from })));
  for (const delivery of dice.shuffle([...deliveries, ...deliveries.slice(0, 3)])) await deliver(delivery);
}

/** Lets Meta report all it has to, and on something later too, and so much time pass. */
async function letTimePass({ sql, graph, deliver }: Messaging, interval: string): Promise<void> {
  await graph.statuses.deliver({ copies: 2, shuffled: true, batch: 5 });
  await passTime(sql, interval);
  await deliver(
    statuses(status(`wamid.${crypto.randomUUID()}`, "sent", { biz_opaque_callback_data: crypto.randomUUID() })),
  );
}

/** Goes on until every message is through: the quiet periods of those in doubt, then the longest pauses of circuits. */
async function letAllComeThrough(messaging: Messaging): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    await messaging.work();
    await passTime(messaging.sql, "31 seconds");
    await messaging.work();
    await letTimePass(messaging, tries % 3 === 2 ? "73 hours" : "11 minutes");
    if (await isThrough(messaging.sql)) return;
  }
  throw new Error("the queue does not become empty");
}

function problemsOf(intents: Intent[], ledger: Ledger): string[] {
  return intents.flatMap(({ id, state, failure_reason }) => {
    const arrivals = ledger.arrivals(id);
    if (state === "sent" && arrivals === 1) return [];
    if (state === "failed" && arrivals === 0 && !LOST.includes(failure_reason!)) return [];
    return `${state} ${failure_reason}, arrived ${arrivals} times`;
  });
}

for (const seed of [1, 2, 3]) {
  const ledger = new Ledger();
  const dice = random(seed);
  const misfortune = random(seed);
  messagingTest(
    `every message that comes in is answered once, in order, whatever Meta does (seed ${seed})`,
    {
      seed,
      misbehave: () => misfortune.chance(0.4) ? misfortune.pick([...DOUBTS, ...REFUSALS]) : undefined,
      course: (message) => ledger.note(message, someCourse(dice)),
    },
    async (messaging) => {
      const { sql, graph, work, workUntil } = messaging;
      await answerEverybody(sql);

      for (let round = 0; round < ROUNDS; round++) {
        await everybodyWrites(messaging, dice);
        await work();
        if (dice.chance(0.3)) await graph.statuses.deliver({ copies: 2, shuffled: true, batch: 3 });
        await passTime(sql, dice.pick(["1 second", "31 seconds", "1 minute"]));
      }
      await workUntil(async () => (await intentsOf(sql)).length === PEOPLE.length * ROUNDS);
      await letAllComeThrough(messaging);

      const intents = await intentsOf(sql);
      assertEquals([intents.length, problemsOf(intents, ledger)], [PEOPLE.length * ROUNDS, []]);
      assertEquals(outOfOrder(intents, ledger), []);
      assertEquals(graph.misbehaved > 10, true);
    },
  );
}
