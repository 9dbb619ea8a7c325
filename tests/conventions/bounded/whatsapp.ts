import type { TransactionSql } from "postgres";
import { toBase64 } from "../../../shared/base64.ts";
import { corpus } from "../../whatsapp/corpus/corpus.ts";
import { messages, secondsAgo, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";
import type { BoundedCalls } from "./case.ts";

const UNREADABLE = "bm8ganNvbg==";

/** Every call of the WhatsApp domain that ends at a partitioned table. */
export const WHATSAPP: BoundedCalls = {
  "public.ingest_whatsapp_delivery": async (sql) => {
    await ingestCorpus(sql, 450);
    await splitContact(sql);
  },
  "public.replay_whatsapp_delivery": async (sql) => {
    const [delivery] = await sql`select delivery_id from public.ingest_whatsapp_delivery(${UNREADABLE})`;
    await sql`select public.replay_whatsapp_delivery(${delivery!.delivery_id})`;
  },
  "public.replay_whatsapp_deliveries": async (sql) => {
    await sql`select public.ingest_whatsapp_delivery(${UNREADABLE})`;
    await sql`select public.replay_whatsapp_deliveries(now() - interval '1 day', now() + interval '1 day')`;
  },
  "public.whatsapp_delivery_outcomes": async (sql) => {
    await sql`select public.ingest_whatsapp_delivery(${UNREADABLE})`;
    await sql`select * from public.whatsapp_delivery_outcomes where delivery_id >= private.uuid_v7_floor(now() - interval '1 day')`;
  },
  "public.update_whatsapp_session_activity": async (sql) => {
    const { contact_id } = await openSession(sql);
    await sql`update public.whatsapp_sessions set referred_at = now() where contact_id = ${contact_id}`;
    await answer(sql, contact_id);
  },
  "public.transition_whatsapp_session": changeSession,
  "public.cleanup_expired_whatsapp_sessions": async (sql) => {
    await changeSession(sql);
    await sql`update public.whatsapp_sessions set expires_at = now()`;
    await sql`select public.cleanup_expired_whatsapp_sessions()`;
  },
};

interface Session {
  id: string;
  contact_id: string;
}

async function openSession(sql: TransactionSql): Promise<Session> {
  const [contact] = await sql<{ id: string }[]>`insert into public.whatsapp_contacts default values returning id`;
  return await answer(sql, contact!.id);
}

async function answer(sql: TransactionSql, contactId: string): Promise<Session> {
  const [session] = await sql<Session[]>`
    select id, contact_id from public.update_whatsapp_session_activity('100000000000001', ${contactId}, outbound_at => now())`;
  return session!;
}

async function changeSession(sql: TransactionSql): Promise<void> {
  const { id } = await openSession(sql);
  await sql`select public.transition_whatsapp_session(${id}, 1, 'asking', '{}')`;
}

/** Lets a number prove to be another's, so that messages move and sessions are counted anew. */
async function splitContact(sql: TransactionSql): Promise<void> {
  const from = "250788000999";
  await ingest(sql, messages(text({ from, from_user_id: "RW.1", timestamp: secondsAgo(60) })));
  await ingest(sql, messages(text({ from, timestamp: secondsAgo(20) })));
  await ingest(sql, messages(text({ from, from_user_id: "RW.2", timestamp: secondsAgo(40) })));
}

/** Ingests deliveries of every kind: 450 hold them all. */
export async function ingestCorpus(sql: TransactionSql, size: number): Promise<void> {
  for (const { bytes } of corpus(size, size, new Date())) {
    await sql`select public.ingest_whatsapp_delivery(${toBase64(bytes)})`;
  }
}
