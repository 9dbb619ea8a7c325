import type { TransactionSql } from "postgres";
import { statuses } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import { asUser, createUser } from "../../sql/foundation/people.ts";
import {
  claim,
  claimOnly,
  complete,
  enqueue,
  enqueueTemplate,
  fail,
  graphError,
  openWindow,
  passTime,
  report,
} from "../../sql/whatsapp_outbound/outbound.ts";
import type { BoundedCalls } from "./case.ts";

/** Every call of sending by WhatsApp that ends at a partitioned table. */
export const WHATSAPP_OUTBOUND: BoundedCalls = {
  "public.enqueue_whatsapp_message": async (sql) => {
    await enqueue(sql, { idempotency_key: "once" });
    await finish(sql);
    await enqueue(sql, { idempotency_key: "once" });
  },
  "public.claim_whatsapp_messages": async (sql) => {
    await enqueue(sql);
    await claim(sql);
  },
  "private.run_whatsapp_queue_care": async (sql) => {
    await enqueue(sql);
    await passTime(sql, "2 days");
    await sql`select private.run_whatsapp_queue_care()`;
  },
  "public.complete_whatsapp_message": async (sql) => {
    const id = await finish(sql);
    await sql`select public.complete_whatsapp_message(${id}, 1, 'wamid.other')`;
  },
  "public.fail_whatsapp_message": async (sql) => {
    await enqueueTemplate(sql);
    const held = await claimOnly(sql);
    await fail(sql, held, graphError(131026));
    await fail(sql, held, graphError(131026));
  },
  "public.release_whatsapp_messages": async (sql) => {
    await openWindow(sql);
    await enqueue(sql);
    const { id, lease_token } = await claimOnly(sql);
    await sql`select public.release_whatsapp_messages(${[id]}, ${[lease_token]}::bigint[])`;
  },
  "public.cancel_whatsapp_message": async (sql) => {
    const id = await enqueue(sql);
    await sql`select public.cancel_whatsapp_message(${id})`;
    await sql`select public.cancel_whatsapp_message(${id})`;
  },
  "public.redrive_whatsapp_message": async (sql) => {
    const id = await enqueue(sql);
    await claim(sql);
    await byOperator(sql, (client) => client`select public.redrive_whatsapp_message(${id}, 'again')`);
  },
  "public.resolve_whatsapp_message": async (sql) => {
    const id = await enqueueTemplate(sql);
    await fail(sql, await claimOnly(sql), { kind: "unknown" });
    await byOperator(sql, (client) => client`select public.resolve_whatsapp_message(${id}, true, 'asked them')`);
  },
  "public.list_whatsapp_sends": async (sql) => {
    await enqueue(sql);
    await claim(sql);
    await byOperator(sql, (client) => client`select public.list_whatsapp_sends('failed')`);
  },
  "public.pause_whatsapp_sending": (sql) =>
    byOperator(sql, (client) => client`select public.pause_whatsapp_sending('number', '1', '1 hour', 'complaints')`),
  "public.lift_whatsapp_circuit": (sql) =>
    byOperator(sql, (client) => client`select public.lift_whatsapp_circuit('number', '1', 'new token')`),
  "public.enqueue_whatsapp_read": async (sql) => {
    await openWindow(sql);
    const [message] = await sql`
      select id from public.whatsapp_messages where id >= private.uuid_v7_floor(now() - interval '1 hour')`;
    await sql`select public.enqueue_whatsapp_read(${message!.id})`;
  },
  "public.whatsapp_message_costs": async (sql) => {
    await finish(sql);
    await sql`select * from public.whatsapp_message_costs where id >= private.uuid_v7_floor(now() - interval '1 day')`;
  },
  "public.whatsapp_spend": async (sql) => {
    await finish(sql);
    await sql`select * from public.whatsapp_spend(now()::date)`;
  },
  "public.whatsapp_delivery_rates": async (sql) => {
    await finish(sql);
    await sql`select * from public.whatsapp_delivery_rates`;
  },
  "public.whatsapp_failure_stats": async (sql) => {
    await finish(sql);
    await sql`select * from public.whatsapp_failure_stats`;
  },
};

/** Sends a message, lets Meta report on it with and without our id, and lets it fail; gives its id. */
async function finish(sql: TransactionSql): Promise<string> {
  const id = await enqueueTemplate(sql);
  const wamid = await complete(sql, await claimOnly(sql));
  await report(sql, id, wamid, "sent");
  const failed = { id: wamid, status: "failed", timestamp: String(Math.floor(Date.now() / 1000)) };
  await ingest(sql, statuses({ ...failed, errors: [{ code: 131026 }] }));
  return id;
}

async function byOperator(sql: TransactionSql, work: (client: TransactionSql) => Promise<unknown>): Promise<void> {
  const userId = await createUser(sql);
  await sql`insert into private.operators values (${userId}, 'test')`;
  await asUser(sql, userId, work, { app_metadata: { role: "operator" } });
}
