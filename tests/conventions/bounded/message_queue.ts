import type { TransactionSql } from "postgres";
import type { BoundedCalls } from "./case.ts";

const QUEUE = "probe";

/** Every call of the message queue that ends at a partitioned table. */
export const MESSAGE_QUEUE: BoundedCalls = {
  "public.complete_messages": async (sql) => {
    await fillQueue(sql);
    await sql`
      select public.complete_messages(array_agg(id), array_agg(lease_token)) from public.claim_messages(${QUEUE}, 100)`;
  },
  "public.cancel_messages": async (sql) => {
    await fillQueue(sql);
    await sql`select public.cancel_messages(${QUEUE}, array(select id from public.message_queue))`;
  },
  "public.purge_queue": async (sql) => {
    await fillQueue(sql);
    await sql`select public.purge_queue(${QUEUE})`;
  },
  "public.run_messages": async (sql) => {
    await fillQueue(sql);
    await sql.unsafe(`
      create function private.probe(message public.claimed_message) returns void language plpgsql as 'begin end';
      select private.set_queue_handler('${QUEUE}', 'private.probe(public.claimed_message)')`).simple();
    await sql`select public.run_messages(100)`;
  },
  "private.purge_message_queue": async (sql) => {
    await fillQueue(sql);
    await sql`update public.message_queue set state = 'dead', due_at = now() - interval '1 year'`;
    await sql`select private.purge_message_queue()`;
  },
};

async function fillQueue(sql: TransactionSql): Promise<void> {
  await sql`select public.create_queue(${QUEUE})`;
  const messages = Array.from({ length: 20 }, (_, n) => ({
    message_type: "probe",
    payload: {},
    ordering_key: `${n % 5}`,
  }));
  await sql`select public.enqueue_messages(${QUEUE}, ${sql.json(messages)})`;
}
