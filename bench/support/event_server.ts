import { serveCommands } from "./json_server.ts";
import { type Limit, Meter, type Reading } from "./meter.ts";
import { together } from "./queue_server.ts";

/** An event store under measurement, behind whatever API it has. */
export interface EventStore {
  /** Appends events to one stream in one transaction, at whatever version it is. */
  append(stream: string, payloads: EventPayload[]): Promise<unknown>;
  /** Reads a whole stream into parsed events; gives how many. */
  read(stream: string): Promise<number>;
}

/** What an event tells: about 190 bytes of JSON, none like another. */
export type EventPayload = ReturnType<typeof payload>;

/** One round of appends came to this. */
export interface AppendReading extends Reading {
  /** Appends that the store refused, though none of them asked for a version. */
  refused: number;
  /** What it said the first time. */
  reason?: string;
}

/** What a store's server can be asked. */
export interface EventCommands {
  fill: { streams: string[]; events: number };
  append: { streams: string[]; clients: number; batch: number } & Limit;
  read: { stream: string; events: number; clients: number } & Limit;
}

let number = 0;

/** For a process of its own: serves one event store on the port that it was given, beside that Postgres. */
export function serveEventStore(port: number, postmaster: number, store: EventStore): void {
  serveCommands(port, {
    async fill({ streams, events }: EventCommands["fill"]) {
      const left = [...streams];
      await together(2, async () => {
        for (let stream = left.pop(); stream; stream = left.pop()) {
          for (let done = 0; done < events; done += 100) {
            await store.append(stream, payloads(Math.min(100, events - done)));
          }
        }
      });
    },
    async append({ streams, clients, batch, ...limit }: EventCommands["append"]): Promise<AppendReading> {
      const meter = new Meter(postmaster, limit);
      const refusals: string[] = [];
      await together(clients, async () => {
        while (!meter.isOver) {
          const stream = streams[Math.floor(Math.random() * streams.length)]!;
          await store.append(stream, payloads(batch)).then(
            () => meter.done(batch),
            (refusal) => refusals.push(String(refusal)),
          );
        }
      });
      return { ...meter.read(), refused: refusals.length, reason: refusals[0]?.slice(0, 200) };
    },
    async read({ stream, events: expected, clients, ...limit }: EventCommands["read"]): Promise<Reading> {
      const meter = new Meter(postmaster, limit);
      await together(clients, async () => {
        while (!meter.isOver) {
          const events = await store.read(stream);
          if (events !== expected) throw new Error(`read ${events} events instead of ${expected}`);
          meter.done(1);
        }
      });
      return meter.read();
    },
  });
}

function payloads(count: number): EventPayload[] {
  return Array.from({ length: count }, payload);
}

function payload() {
  number++;
  return {
    trip_id: crypto.randomUUID(),
    driver_id: crypto.randomUUID(),
    amount: 1_500 + number % 500,
    currency: "RWF",
    from: "Nyabugogo",
    to: "Kimironko",
    number,
  };
}
