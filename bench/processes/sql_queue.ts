import postgres, { type Sql } from "postgres";
import { withConnection } from "../../scripts/stack/database.ts";
import { claimAndComplete, type Payload, serveQueue, together } from "../support/queue_server.ts";

const CONNECTIONS = 8;
const QUEUE = "bench";
const LEASE_SECONDS = 60;

/** A queue that is SQL functions, each called as one prepared statement. */
interface SqlQueue {
  /** The role that calls it. */
  role: string;
  /** What its owner sets before each round. */
  setUp(sql: Sql): Promise<unknown>;
  enqueue(sql: Sql, payloads: Payload[], dueAt?: Date): Promise<unknown>;
  claim(sql: Sql, batch: number): Promise<readonly postgres.Row[]>;
  complete(sql: Sql, claimed: readonly postgres.Row[]): Promise<unknown>;
}

function ours(keepHistory: "all" | "none"): SqlQueue {
  return {
    role: "service_role",
    setUp: (sql) =>
      sql`
        insert into public.message_queues (queue_name, keep_history) values (${QUEUE}, ${keepHistory})
        on conflict (queue_name) do update set keep_history = excluded.keep_history`,
    enqueue(sql, payloads, dueAt) {
      const due = dueAt ? { scheduled_at: dueAt } : {};
      if (payloads.length === 1) {
        const payload = JSON.stringify(payloads[0]);
        return sql`
          select * from public.enqueue_message(
            ${QUEUE}, 'trip.receipt', ${payload}::text::jsonb, scheduled_at => ${dueAt ?? null}
          )`;
      }
      const messages = payloads.map((payload) => ({ message_type: "trip.receipt", payload, ...due }));
      return sql`select * from public.enqueue_messages(${QUEUE}, ${JSON.stringify(messages)}::text::jsonb)`;
    },
    claim: (sql, batch) => sql`select * from public.claim_messages(${QUEUE}, ${batch}, ${LEASE_SECONDS})`,
    complete(sql, claimed) {
      const [ids, tokens] = [claimed.map(({ id }) => id), claimed.map(({ lease_token }) => lease_token)];
      return sql`select * from public.complete_messages(${ids}::bigint[], ${tokens}::bigint[])`;
    },
  };
}

function reference(complete: SqlQueue["complete"]): SqlQueue {
  return {
    role: "postgres",
    setUp: () => Promise.resolve(),
    enqueue(sql, payloads, dueAt = new Date()) {
      const texts = payloads.map((payload) => JSON.stringify(payload));
      return texts.length === 1
        ? sql`select reference.send(${texts[0]!}::text::jsonb, ${dueAt})`
        : sql`select reference.send_batch(${texts}::text[]::jsonb[], ${dueAt})`;
    },
    claim: (sql, batch) => sql`select * from reference.read(${LEASE_SECONDS}, ${batch})`,
    complete,
  };
}

const idsOf = (messages: readonly postgres.Row[]) => messages.map(({ msg_id }) => msg_id);

const QUEUES: Record<string, SqlQueue> = {
  "ours": ours("none"),
  "ours-keeping": ours("all"),
  "reference": reference((sql, claimed) => sql`select reference.delete(${idsOf(claimed)}::bigint[])`),
  "reference-archiving": reference((sql, claimed) => sql`select reference.archive(${idsOf(claimed)}::bigint[])`),
};

const [port, url = "", postmaster, kind = ""] = Deno.args;
const queue = QUEUES[kind]!;
const connection = { options: `-c role=${queue.role}` };
const sql = postgres(url, { max: CONNECTIONS, onnotice: () => {}, connection });
await withConnection(url, queue.setUp);

serveQueue(Number(port), Number(postmaster), {
  enqueue: (payloads, dueAt) => queue.enqueue(sql, payloads, dueAt),
  async work({ workers, batch }, meter) {
    await withConnection(url, queue.setUp);
    await together(workers, async () => {
      const one = await sql.reserve();
      await claimAndComplete(meter, () => queue.claim(one, batch), (claimed) => queue.complete(one, claimed));
      one.release();
    });
  },
});
