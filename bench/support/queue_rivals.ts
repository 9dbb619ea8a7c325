import type { Sql } from "postgres";
import { withConnection } from "../../scripts/stack/database.ts";
import type { DurablePostgres } from "./durable_postgres.ts";
import { ask } from "./json_server.ts";
import type { Reading } from "./meter.ts";
import { startServer } from "./processes.ts";
import type { QueueCommands } from "./queue_server.ts";

/** One queue under measurement, in a process of its own. */
export interface QueueRival extends AsyncDisposable {
  fill(input: QueueCommands["fill"]): Promise<void>;
  enqueue(input: QueueCommands["enqueue"]): Promise<Reading>;
  work(input: QueueCommands["work"]): Promise<Reading>;
  /** Empties it. */
  clear(): Promise<void>;
  /** What autovacuum would do some time. */
  vacuum(): Promise<void>;
  /** Of its tables and of their indexes, in megabytes. */
  size(): Promise<{ table: number; indexes: number }>;
}

/** Our queue without a history (`keep_history` none) beside the reference that deletes: neither keeps what is done. */
export const OURS = "ours";
export const REFERENCE = "reference";
/** Our queue as it comes (`keep_history` all) beside the reference that archives; on the same tables as those two. */
export const OURS_KEEPING = "ours, history";
export const REFERENCE_ARCHIVING = "reference, archiving";
export const GRAPHILE = "graphile-worker";
export const BOSS = "pg-boss";

const SQL_QUEUE = "bench/processes/sql_queue.ts";
const OUR_TABLES = "public.message_queue, private.message_queue_marks, private.message_queue_changes";

/** The script of each, the kind that it is told to be, and the tables that its messages are in. */
const QUEUES: Record<string, { script: string; kind?: string; tables: string }> = {
  [OURS]: { script: SQL_QUEUE, kind: "ours", tables: OUR_TABLES },
  [OURS_KEEPING]: { script: SQL_QUEUE, kind: "ours-keeping", tables: `${OUR_TABLES}, public.message_queue_history` },
  [REFERENCE]: { script: SQL_QUEUE, kind: "reference", tables: "reference.queue" },
  [REFERENCE_ARCHIVING]: {
    script: SQL_QUEUE,
    kind: "reference-archiving",
    tables: "reference.queue, reference.archive",
  },
  [GRAPHILE]: { script: "bench/peers/npm/graphile_worker.ts", tables: "graphile_worker._private_jobs" },
  [BOSS]: { script: "bench/peers/npm/pg_boss.ts", tables: "pgboss.job_common" },
};

const REFERENCE_SQL = new URL("../peers/reference_queue.sql", import.meta.url);

/** Starts the queues of those names on one Postgres, each in its process. */
export async function startQueues(
  postgres: DurablePostgres,
  names: readonly string[],
): Promise<{ rivals: Record<string, QueueRival> } & AsyncDisposable> {
  await postgres.sql`set session_replication_role = replica`;
  const reference = await Deno.readTextFile(REFERENCE_SQL);
  await withConnection(postgres.url, (sql) => sql.unsafe(reference).simple());
  await using servers = new AsyncDisposableStack();
  const rivals: Record<string, QueueRival> = {};
  for (const name of names) rivals[name] = servers.use(await startQueue(postgres, name));
  const moved = servers.move();
  return { rivals, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

async function startQueue({ url, postmaster, sql }: DurablePostgres, name: string): Promise<QueueRival> {
  const { script, kind = "", tables } = QUEUES[name]!;
  const server = await startServer(script, url, String(postmaster), kind);
  return {
    fill: (input) => ask(server, "fill", input),
    enqueue: (input) => ask(server, "enqueue", input),
    work: (input) => ask(server, "work", input),
    clear: () => run(sql, `truncate ${tables}`),
    vacuum: () => run(sql, `vacuum (analyze) ${tables}`),
    size: () => sizeOf(sql, tables.split(", ")),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function sizeOf(sql: Sql, tables: string[]): Promise<{ table: number; indexes: number }> {
  const [row] = await sql`
    select sum(pg_table_size(name::regclass)) / 1e6 as table, sum(pg_indexes_size(name::regclass)) / 1e6 as indexes
    from unnest(${tables}::text[]) as name`;
  return { table: Number(row!.table), indexes: Number(row!.indexes) };
}

async function run(sql: Sql, statement: string): Promise<void> {
  await sql.unsafe(statement);
}
