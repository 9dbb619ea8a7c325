import { serveCommands } from "./json_server.ts";
import { type Limit, Meter, type Reading } from "./meter.ts";
import { together } from "./queue_server.ts";

/** Something that stores events. */
export interface EventSink {
  store(events: readonly TrackedEvent[]): Promise<unknown>;
}

/** An event as a client tells it. */
export interface TrackedEvent {
  id: string;
  eventName: string;
  userId: string;
  properties: Record<string, unknown>;
  occurredAt: Date;
}

/** What a sink's server can be asked. */
export interface AnalyticsCommands {
  store: { batch: number; clients: number } & Limit;
}

const PEOPLE = Array.from({ length: 10_000 }, () => crypto.randomUUID());
const NAMES = Array.from({ length: 20 }, (_, number) => `event_${number}`);
const LATE = 0.02;
const LATEST_DAYS = 20;
const DAY_MS = 86_400_000;

/** For a process of its own: serves one sink on the port that it was given, beside that Postgres. */
export function serveAnalytics(port: number, postmaster: number, sink: EventSink): void {
  serveCommands(port, {
    async store({ batch, clients, ...limit }: AnalyticsCommands["store"]): Promise<Reading> {
      const meter = new Meter(postmaster, limit);
      await together(clients, async () => {
        while (!meter.isOver) {
          await sink.store(Array.from({ length: batch }, makeEvent));
          meter.done(batch);
        }
      });
      return meter.read();
    },
  });
}

function makeEvent(): TrackedEvent {
  const age = Math.random() < LATE ? Math.random() * LATEST_DAYS * DAY_MS : 0;
  return {
    id: crypto.randomUUID(),
    eventName: oneOf(NAMES),
    userId: oneOf(PEOPLE),
    properties: {
      vehicle: "moto",
      fare: 1_500,
      currency: "RWF",
      screen: "/book/confirm",
      version: "2.14.0",
      os: "android",
    },
    occurredAt: new Date(Date.now() - age),
  };
}

function oneOf<T>(values: readonly T[]): T {
  return values[Math.floor(Math.random() * values.length)]!;
}
