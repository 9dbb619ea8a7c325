import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import postgres, { type Sql } from "postgres";
import { type EventSink, serveAnalytics, type TrackedEvent } from "../support/analytics_server.ts";

const CONNECTIONS = 8;
const KIGALI_MS = 2 * 3_600_000;

const [port, url = "", postmaster, kind = ""] = Deno.args;

/** track_events(), as the edge calls it, with a write key that has no rate. */
function ours(sql: Sql): EventSink {
  const key = sql`select id from public.analytics_write_keys where events_per_minute is null`.then(([row]) => row!.id);
  return {
    async store(events) {
      const batch = { write_key_id: await key, source: "segment", received_at: new Date(), items: events.map(itemOf) };
      const [row] = await sql`select public.track_events(${JSON.stringify(batch)}::text::jsonb) as answer`;
      if (row!.answer.stored !== events.length) throw new Error(`stored ${row!.answer.stored} of ${events.length}`);
    },
  };
}

function itemOf({ id, eventName, userId, properties, occurredAt }: TrackedEvent, index: number) {
  return {
    index,
    message_id: id,
    type: "track",
    event_name: eventName,
    user_id: userId,
    properties,
    context: {},
    timestamp: occurredAt,
  };
}

/** COPY into a table like ours, without the rollup. */
function copy(sql: Sql): EventSink {
  return {
    async store(events) {
      const stream = await sql`
        copy plain.analytics_events (day, id, event_name, actor_id, user_id, properties, occurred_at, received_at) from stdin`
        .writable();
      await pipeline(Readable.from([events.map(lineOf).join("")]), stream);
    },
  };
}

function lineOf({ id, eventName, userId, properties, occurredAt }: TrackedEvent): string {
  const day = new Date(occurredAt.getTime() + KIGALI_MS).toISOString().slice(0, 10);
  const [at, now] = [occurredAt.toISOString(), new Date().toISOString()];
  return `${[day, id, eventName, userId, userId, JSON.stringify(properties), at, now].join("\t")}\n`;
}

const SINKS: Record<string, { role: string; of(sql: Sql): EventSink }> = {
  ours: { role: "service_role", of: ours },
  copy: { role: "postgres", of: copy },
};

const { role, of } = SINKS[kind]!;
const connection = { options: `-c role=${role}` };
serveAnalytics(
  Number(port),
  Number(postmaster),
  of(postgres(url, { max: CONNECTIONS, onnotice: () => {}, connection })),
);
