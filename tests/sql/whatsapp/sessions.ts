import postgres, { type TransactionSql } from "postgres";
import { change, inbox, NUMBER, secondsAgo, status, text } from "../../support/deliveries.ts";

/** A row of `whatsapp_sessions`. */
export interface Session {
  id: string;
  phone_number_id: string;
  contact_id: string;
  state: string;
  version: number;
  context: Record<string, unknown>;
  expires_at: Date | null;
  locale: string | null;
  last_inbound_at: Date | null;
  window_expires_at: Date | null;
  last_outbound_at: Date | null;
  referred_at: Date | null;
  free_entry_expires_at: Date | null;
}

type Body = Uint8Array<ArrayBuffer>;
type Fields = Record<string, unknown>;

export const PHONE = "250788000001";
export const USER_ID = "RW.13491208655302741918";
export const HOUR = 3_600;

/** A message that came from a click-to-WhatsApp ad. */
export function referred(fields: Fields = {}): Fields {
  return text({ referral: { source_type: "ad", source_id: "120210", ctwa_clid: "ARAkLkA8" }, ...fields });
}

/** A delivery of a message that somebody of ours sent from the phone app. */
export function echoes(fields: Fields = {}): Body {
  const echo = text({ from: "250788000000", to: PHONE, ...fields });
  return change("smb_message_echoes", inbox({ message_echoes: [echo] }));
}

/** A delivery about a call: by default a user's that begins to ring. */
export function calls(fields: Fields = {}): Body {
  const id = `wacid.${crypto.randomUUID()}`;
  const call = { id, from: PHONE, event: "connect", direction: "USER_INITIATED", timestamp: secondsAgo(), ...fields };
  return change("calls", inbox({ calls: [call] }));
}

/** A delivery about what became of a call of ours. */
export function callStatuses(name: string, fields: Fields = {}): Body {
  const status = { id: "wacid.ours", type: "call", status: name, timestamp: secondsAgo(), recipient_id: PHONE };
  return change("calls", inbox({ statuses: [{ ...status, ...fields }] }));
}

/** A status that tells until when the conversation is free. */
export function freeStatus(until: string, fields: Fields = {}): Fields {
  const conversation = { id: "c1", expiration_timestamp: until, origin: { type: "referral_conversion" } };
  return status(`wamid.${crypto.randomUUID()}`, "sent", { conversation, ...fields });
}

/** Meta's seconds as a time, so many seconds later. */
export function timeOf(seconds: string, later = 0): Date {
  return new Date((Number(seconds) + later) * 1000);
}

/** The sessions there are, in the order of their making. */
export async function sessions(sql: TransactionSql): Promise<Session[]> {
  return [...await sql<Session[]>`select * from public.whatsapp_sessions order by id`];
}

/** The one session there is; fails when there is none or another. */
export async function onlySession(sql: TransactionSql): Promise<Session> {
  const [session, ...others] = await sessions(sql);
  if (!session || others.length > 0) throw new Error(`${others.length + (session ? 1 : 0)} sessions`);
  return session;
}

/** A session of a new contact, at version 1. */
export async function openSession(sql: TransactionSql): Promise<Session> {
  const [contact] = await sql<{ id: string }[]>`insert into public.whatsapp_contacts default values returning id`;
  return await act(sql, contact!.id, {});
}

/** The history of all sessions, oldest first. */
export async function history(sql: TransactionSql): Promise<Record<string, unknown>[]> {
  return [
    ...await sql`
    select reason, from_state, to_state, version, context from public.whatsapp_session_transitions order by id`,
  ];
}

/** Calls update_whatsapp_session_activity(). */
export async function act(
  sql: TransactionSql,
  contactId: string,
  { number = NUMBER, outboundAt = null, locale = null }: {
    number?: string;
    outboundAt?: Date | string | null;
    locale?: string | null;
  },
): Promise<Session> {
  const [session] = await sql<Session[]>`
    select * from public.update_whatsapp_session_activity(${number}, ${contactId}, ${outboundAt}, ${locale})`;
  return session!;
}

/** Calls transition_whatsapp_session(). */
export async function transition(
  sql: TransactionSql,
  { id, version }: Pick<Session, "id" | "version">,
  state: string,
  context: unknown = {},
  expiresIn: string | null = null,
): Promise<Session> {
  const [session] = await sql<Session[]>`
    select * from public.transition_whatsapp_session(${id}, ${version}, ${state}, ${
    sql.json(context as never)
  }, ${expiresIn})`;
  return session!;
}

/** The code and the details that `work` is refused with; a transaction around it stays usable. */
export async function refusalOf(
  sql: TransactionSql,
  work: (sql: TransactionSql) => Promise<unknown>,
): Promise<[code: string, details: unknown]> {
  try {
    await sql.savepoint(work);
  } catch (error) {
    if (!(error instanceof postgres.PostgresError) || error.code !== "PGRST") throw error;
    const { code, details } = JSON.parse(error.message);
    return [code, JSON.parse(details)];
  }
  throw new Error("the call was not refused");
}
