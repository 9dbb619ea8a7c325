import { serveCommands } from "./json_server.ts";
import { type Limit, Meter, type Reading } from "./meter.ts";

/** A queue under measurement, behind whatever API it has. */
export interface Queue {
  /** Stores messages in one call, of the kind meant for one message when there is one. */
  enqueue(payloads: Payload[], dueAt?: Date): Promise<unknown>;
  /** Claims and completes until the meter's round is over, or nothing is left. */
  work(crew: Crew, meter: Meter): Promise<unknown>;
}

/** Who works on a queue: so many at the same time, each with so many messages at once. */
export interface Crew {
  workers: number;
  batch: number;
}

/** What is stored: about 190 bytes of JSON, none like another. */
export type Payload = ReturnType<typeof payload>;

/** What a queue's server can be asked. */
export interface QueueCommands {
  fill: { count: number; dueInSeconds?: number };
  enqueue: Crew & Limit;
  work: Crew & Limit;
}

const FILL_BATCH = 1_000;
const FILL_WORKERS = 2;
let number = 0;

/** For a process of its own: serves one queue on the port that it was given, beside that Postgres. */
export function serveQueue(port: number, postmaster: number, queue: Queue): void {
  serveCommands(port, {
    async fill({ count, dueInSeconds }: QueueCommands["fill"]) {
      const dueAt = dueInSeconds === undefined ? undefined : new Date(Date.now() + dueInSeconds * 1_000);
      let left = count;
      await together(FILL_WORKERS, async () => {
        while (left > 0) {
          const batch = Math.min(left, FILL_BATCH);
          left -= batch;
          await queue.enqueue(payloads(batch), dueAt);
        }
      });
    },
    async enqueue({ workers, batch, ...limit }: QueueCommands["enqueue"]): Promise<Reading> {
      const meter = new Meter(postmaster, limit);
      await together(workers, async () => {
        while (!meter.isOver) {
          await queue.enqueue(payloads(batch));
          meter.done(batch);
        }
      });
      return meter.read();
    },
    async work({ workers, batch, ...limit }: QueueCommands["work"]): Promise<Reading> {
      const meter = new Meter(postmaster, limit);
      await queue.work({ workers, batch }, meter);
      return meter.read();
    },
  });
}

/** A worker's loop for a queue that one asks for messages and tells of their completion. */
export async function claimAndComplete<Claimed>(
  meter: Meter,
  claim: () => Promise<readonly Claimed[]>,
  complete: (claimed: readonly Claimed[]) => Promise<unknown>,
): Promise<void> {
  while (!meter.isOver) {
    const claimed = await claim();
    if (claimed.length === 0) return;
    await complete(claimed);
    meter.done(claimed.length);
  }
}

/** Runs the same work so many times at once. */
export async function together(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}

function payloads(count: number): Payload[] {
  return Array.from({ length: count }, payload);
}

function payload() {
  number++;
  return {
    trip_id: crypto.randomUUID(),
    recipient: String(250788000000 + number % 100_000),
    template: "trip_receipt",
    language: "rw",
    amount: 1_500 + number % 500,
    currency: "RWF",
    from: "Nyabugogo",
    to: "Kimironko",
    number,
  };
}
