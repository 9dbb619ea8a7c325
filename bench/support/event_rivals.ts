import type { DurablePostgres } from "./durable_postgres.ts";
import type { AppendReading, EventCommands } from "./event_server.ts";
import { ask } from "./json_server.ts";
import type { Reading } from "./meter.ts";
import { startServer } from "./processes.ts";

/** One event store under measurement, in a process of its own. */
export interface EventRival extends AsyncDisposable {
  fill(input: EventCommands["fill"]): Promise<void>;
  append(input: EventCommands["append"]): Promise<AppendReading>;
  read(input: EventCommands["read"]): Promise<Reading>;
  vacuum(): Promise<void>;
}

export const OURS = "ours";
export const MESSAGE_DB = "message-db";
export const EMMETT = "emmett";

/** The script of each, and the tables that its events are in. */
const STORES: Record<string, { script: string; tables: string }> = {
  [OURS]: {
    script: "bench/processes/sql_events.ts",
    tables: "public.event_streams, public.event_store",
  },
  [MESSAGE_DB]: { script: "bench/peers/npm/message_db.ts", tables: "message_store.messages" },
  [EMMETT]: { script: "bench/peers/npm/emmett.ts", tables: "emt_streams, emt_messages" },
};

/** Ours as it is after two years, as far as partitions go: an append or a read must not pay for them. */
const OLD_PARTITIONS = `
  select private.create_partition('event_store', month)
  from generate_series(
    date_trunc('month', now(), 'UTC') - interval '24 months', date_trunc('month', now(), 'UTC') - interval '1 month',
    interval '1 month', 'UTC'
  ) as month`;

/** Starts all the stores on one Postgres, each in its process. */
export async function startEventStores(
  postgres: DurablePostgres,
): Promise<{ rivals: Record<string, EventRival> } & AsyncDisposable> {
  await postgres.sql.unsafe(OLD_PARTITIONS);
  await using servers = new AsyncDisposableStack();
  const rivals: Record<string, EventRival> = {};
  for (const name of Object.keys(STORES)) rivals[name] = servers.use(await startEventStore(postgres, name));
  const moved = servers.move();
  return { rivals, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

async function startEventStore({ url, postmaster, sql }: DurablePostgres, name: string): Promise<EventRival> {
  const { script, tables } = STORES[name]!;
  const server = await startServer(script, url, String(postmaster));
  return {
    fill: (input) => ask(server, "fill", input),
    append: (input) => ask(server, "append", input),
    read: (input) => ask(server, "read", input),
    vacuum: async () => void await sql.unsafe(`vacuum (analyze) ${tables}`),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
