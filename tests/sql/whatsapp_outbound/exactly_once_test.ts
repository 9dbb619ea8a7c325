import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { change, inbox, text } from "../../support/deliveries.ts";
import { MetaModel } from "./meta_model.ts";
import { type Claim, claim, complete, enqueueTemplate, fail, graphError, outbound, passTime } from "./outbound.ts";

const database = await createTestDatabase();
const WORKERS = 3;
const PEOPLE_COUNT = 5;
const RETRY = 131000;
const FINAL = 131026;

/**
 * What happens next. work: a worker claims and posts at once; claim, post: with whatever happens in between; write:
 * somebody writes to us, whose phone and user id so prove to be one person's.
 */
const ACTIONS = [
  "enqueue",
  "enqueue",
  "enqueue",
  "work",
  "work",
  "work",
  "claim",
  "post",
  "release",
  "deliver",
  "write",
] as const;
/** What becomes of a request. */
const FATES = [
  "taken",
  "taken",
  "taken",
  "taken, no answer",
  "taken, doubt",
  "lost, no answer",
  "lost, doubt",
  "not sent",
  "retry",
  "refused",
] as const;
const PASSING = [0, 0, 0, 0, 2, 31, 61, 660] as const;

interface Step {
  action: typeof ACTIONS[number];
  fates: typeof FATES[number][];
  /** A status that failed tells so later, by this code. */
  failsLater: typeof RETRY | typeof FINAL | undefined;
  dice: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  action: fc.constantFrom(...ACTIONS),
  fates: fc.array(fc.constantFrom(...FATES), { minLength: 3, maxLength: 3 }),
  failsLater: fc.constantFrom(undefined, undefined, undefined, undefined, RETRY, FINAL),
  dice: fc.nat(100),
});
const round = fc.record({
  steps: fc.tuple(...Array<typeof step>(WORKERS).fill(step)),
  passing: fc.constantFrom(...PASSING),
});

const rounds = fc.array(round, { minLength: 20, maxLength: 50, size: "max" });
const workers = Array.from({ length: WORKERS }, () => connect(database.url));

Deno.test("whatever workers, Meta and the clock do: one message per intent, in order per person, none lost", async () => {
  await fc.assert(
    fc.asyncProperty(rounds, async (rounds) => {
      const world = new World({ reportsInTime: true, mayResend: true });
      await world.run(rounds);
      await world.everyIntentWasSentOnceOrRefused();
      world.everyPersonWasWrittenToInOrder();
    }),
    { numRuns: 10, endOnFailure: true },
  );
});

Deno.test("may_resend false: nothing arrives twice, however late Meta reports", async () => {
  await fc.assert(
    fc.asyncProperty(rounds, async (rounds) => {
      const world = new World({ reportsInTime: false, mayResend: false });
      await world.run(rounds);
      world.nothingArrivedTwice();
    }),
    { numRuns: 8, endOnFailure: true },
  );
});

/** What a world is like. */
interface Nature {
  /** Whether Meta reports within the quiet period. */
  reportsInTime: boolean;
  mayResend: boolean;
}

/** One queue with its workers, a Meta and a clock. */
class World {
  readonly meta = new MetaModel();
  /** Ours, so that what other runs left behind does not matter. */
  readonly number = String(100_000_000_000_000 + Math.floor(Math.random() * 1e12));
  readonly people = Array.from(
    { length: PEOPLE_COUNT },
    () => String(250_780_000_000 + Math.floor(Math.random() * 1e7)),
  );
  /** The intents for each phone and each user id, in the order of enqueuing. */
  readonly intents = new Map<string, string[]>();
  /** What each worker holds, and when it was claimed. */
  readonly hands: { claim: Claim; at: number }[][];
  /** One at a time: the order of enqueuing must be known. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(readonly nature: Nature) {
    this.hands = workers.map(() => []);
  }

  async run(rounds: { steps: Step[]; passing: number }[]): Promise<void> {
    for (const { steps, passing } of rounds) {
      await Promise.all(steps.map((each, at) => this.act(at, each)));
      await this.pass(passing);
    }
    await this.drain();
  }

  async act(at: number, { action, fates, failsLater, dice }: Step): Promise<void> {
    if (action === "enqueue") return await this.enqueue(at, dice);
    if (action === "write") return await this.write(at, dice);
    if (action === "deliver") return await this.deliver(at, this.meta.report(dice, 0.5));
    if (action === "claim" || action === "work") await this.claim(at, fates.length);
    if (action === "claim") return;
    for (const fate of fates) {
      const held = this.hands[at]!.shift();
      if (held && action === "release") await this.release(at, held.claim);
      // As every sender must: nothing is posted when its lease may be over.
      else if (held && this.meta.elapsed - held.at < 55) await this.post(at, held.claim, fate, failsLater);
    }
  }

  enqueue(at: number, dice: number): Promise<void> {
    const phone = this.people[dice % PEOPLE_COUNT]!;
    const [name, address] = dice % 3 === 0 ? [`RW.${phone}`, "recipient_user_id"] : [`+${phone}`, "recipient_phone"];
    const turn = this.#turn.then(async () => {
      const manner = { max_attempts: 20, may_resend: this.nature.mayResend };
      const draft = { phone_number_id: this.number, [address!]: name, ...manner };
      const id = await enqueueTemplate(workers[at]!, draft);
      this.intents.set(name!, [...this.intents.get(name!) ?? [], id]);
    });
    this.#turn = turn;
    return turn;
  }

  async write(at: number, dice: number): Promise<void> {
    const from = this.people[dice % PEOPLE_COUNT]!;
    await this.ingest(at, { messages: [text({ id: crypto.randomUUID(), from, from_user_id: `RW.${from}` })] });
  }

  async claim(at: number, count: number): Promise<void> {
    for (const each of await claim(workers[at]!, count)) {
      if (each.phone_number_id === this.number) this.hands[at]!.push({ claim: each, at: this.meta.elapsed });
    }
  }

  async post(at: number, claim: Claim, fate: typeof FATES[number], failsLater?: number): Promise<void> {
    const sql = workers[at]!;
    const wamid = fate.startsWith("taken") ? this.meta.take(claim, failsLater) : undefined;
    if (fate === "taken") await complete(sql, claim, wamid);
    if (fate.endsWith("doubt")) await fail(sql, claim, { kind: "unknown" });
    if (fate === "not sent") await fail(sql, claim, { kind: "not_sent" });
    if (fate === "retry") await fail(sql, claim, graphError(RETRY));
    if (fate === "refused") await fail(sql, claim, graphError(FINAL));
  }

  async release(at: number, { id, lease_token }: Claim): Promise<void> {
    await workers[at]!`select public.release_whatsapp_messages(${[id]}, ${[lease_token]}::bigint[])`;
  }

  async deliver(at: number, statuses: Record<string, unknown>[]): Promise<void> {
    if (statuses.length > 0) await this.ingest(at, { statuses: [...statuses, statuses[0]!] });
  }

  async ingest(at: number, value: Record<string, unknown>): Promise<void> {
    const metadata = { display_phone_number: this.number, phone_number_id: this.number };
    const body = change("messages", { ...inbox(value), metadata });
    await workers[at]!`select public.ingest_whatsapp_delivery(${btoa(String.fromCharCode(...body))})`;
  }

  /** Time passes; that Meta reports at all shows after each quiet period. */
  async pass(seconds: number): Promise<void> {
    if (seconds > 600 && this.nature.reportsInTime) await this.deliver(0, this.meta.report(seconds));
    await passTime(workers[0]!, `${seconds} seconds`);
    this.meta.elapsed += seconds;
    if (seconds > 600) await this.deliver(0, [this.meta.heartbeat()]);
  }

  /** All workers die; another does what it should, until nothing is left. */
  async drain(): Promise<void> {
    for (const hand of this.hands) hand.length = 0;
    for (let count = 0; count < 200; count++) {
      await this.pass(660);
      await this.claim(0, 100);
      for (const { claim } of this.hands[0]!.splice(0)) await this.post(0, claim, "taken");
      const left = await workers[0]!`select from public.whatsapp_message_queue where phone_number_id = ${this.number}`;
      if (left.length === 0) return await this.deliver(0, this.meta.report(0));
    }
    throw new Error("the queue does not become empty");
  }

  async everyIntentWasSentOnceOrRefused(): Promise<void> {
    for (const id of [...this.intents.values()].flat()) {
      const { state, failure_reason } = await outbound(workers[0]!, id);
      const expected = state === "sent" ? [null, 1] : ["recipient_unreachable", 0];
      assertEquals([failure_reason, this.meta.livingCopies(id)], expected);
    }
  }

  everyPersonWasWrittenToInOrder(): void {
    for (const [name, ids] of this.intents) {
      const taken = this.meta.order.get(name) ?? [];
      assertEquals(taken, ids.filter((id) => taken.includes(id)));
    }
  }

  nothingArrivedTwice(): void {
    const twice = [...this.intents.values()].flat().filter((id) => this.meta.livingCopies(id) > 1);
    assertEquals(twice, []);
  }
}
