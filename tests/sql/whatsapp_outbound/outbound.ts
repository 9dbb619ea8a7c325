import type { Sql, TransactionSql } from "postgres";
import { messages, NUMBER, status, statuses, text } from "../../support/deliveries.ts";
import { ingest } from "../../support/ingest.ts";

type Client = Sql | TransactionSql;

export const PHONE = "250788000001";
export const OTHER_PHONE = "250788000002";

/** A row of `whatsapp_message_queue`, or of its history. */
export interface Outbound {
  id: string;
  contact_id: string;
  state: string;
  wait_reason: string | null;
  failure_reason: string | null;
  attempt_count: number;
  lease_token: string;
  due_at: Date | null;
  wamid: string | null;
  former_wamids: string[];
  message_id: string | null;
  is_fallback: boolean;
  last_error: Record<string, unknown> | null;
}

/** What `claim_whatsapp_messages()` gives. */
export interface Claim {
  id: string;
  lease_token: string;
  lease_expires_at: Date;
  phone_number_id: string;
  request: Record<string, unknown>;
  correlation_id: string | null;
}

/** The named arguments of `enqueue_whatsapp_message()`. */
export interface Draft {
  phone_number_id?: string;
  message_type?: string;
  message_payload?: unknown;
  contact_id?: string;
  recipient_phone?: string;
  recipient_user_id?: string;
  priority?: number | null;
  scheduled_at?: Date;
  expires_at?: Date;
  idempotency_key?: string;
  fallback_template?: unknown;
  category?: string;
  reply_to?: string;
  ordering?: "fifo" | "after_delivered" | "none";
  may_resend?: boolean;
  max_attempts?: number;
}

/** A template as Meta's send API has it. */
export function template(name = "ride_update"): Record<string, unknown> {
  return { name, language: { code: "en" } };
}

/** Enqueues a text to somebody by phone, unless told otherwise; gives its id. */
export async function enqueue(sql: Client, draft: Draft = {}): Promise<string> {
  const { message_id } = await enqueued(sql, draft);
  return message_id;
}

/** Enqueues, and gives the whole answer. */
export async function enqueued(
  sql: Client,
  draft: Draft = {},
): Promise<{ message_id: string; state: string; is_duplicate: boolean }> {
  const addressed = draft.contact_id ?? draft.recipient_user_id ?? draft.recipient_phone;
  const whole: Draft = {
    phone_number_id: NUMBER,
    message_type: "text",
    message_payload: { text: { body: "Muraho" } },
    ...(addressed === undefined ? { recipient_phone: `+${PHONE}` } : {}),
    ...draft,
  };
  const names = Object.keys(whole);
  const [row] = await sql.unsafe<{ message_id: string; state: string; is_duplicate: boolean }[]>(
    `select * from public.enqueue_whatsapp_message(${names.map((name, at) => `${name} => $${at + 1}`).join(", ")})`,
    Object.values(whole) as never[],
  );
  return row!;
}

/** Enqueues a template, of a kind that needs no consent unless told otherwise. */
export function enqueueTemplate(sql: Client, draft: Draft = {}): Promise<string> {
  return enqueue(sql, {
    message_type: "template",
    message_payload: { template: template() },
    category: "utility",
    ...draft,
  });
}

/** Lets somebody write to us, so that their window is open. */
export async function openWindow(sql: TransactionSql, phone = PHONE, fields: Record<string, unknown> = {}) {
  await ingest(sql, messages(text({ from: phone, ...fields })));
}

/** Claims up to that many, for a minute. */
export async function claim(sql: Client, maxCount = 100, leaseSeconds = 60): Promise<Claim[]> {
  return [...await sql<Claim[]>`select * from public.claim_whatsapp_messages(${maxCount}, ${leaseSeconds})`];
}

/** The ids of what can be claimed now. */
export async function claimedIds(sql: Client, maxCount = 100): Promise<string[]> {
  return (await claim(sql, maxCount)).map(({ id }) => id);
}

/** Claims the one message that can be; fails when there is none or another. */
export async function claimOnly(sql: Client): Promise<Claim> {
  const [first, ...others] = await claim(sql);
  if (!first || others.length > 0) throw new Error(`${others.length + (first ? 1 : 0)} claims`);
  return first;
}

let sent = 0;

/** An id such as Meta gives. */
export function newWamid(): string {
  return `wamid.out${sent++}`;
}

/** Answers a claim as Meta takes the message; gives the wamid. */
export async function complete(sql: Client, { id, lease_token }: Claim, wamid: string = newWamid()): Promise<string> {
  await sql`select public.complete_whatsapp_message(${id}, ${lease_token}, ${wamid})`;
  return wamid;
}

/** Answers a claim with an error. */
export async function fail(sql: Client, { id, lease_token }: Claim, error: Record<string, unknown>): Promise<Outbound> {
  await sql`select public.fail_whatsapp_message(${id}, ${lease_token}, ${sql.json(error as never)})`;
  return await outbound(sql, id);
}

/** An error answer of Meta's. */
export function graphError(code: number, fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { kind: "graph_error", http_status: 400, code, ...fields };
}

/** A message, wherever it is. */
export async function outbound(sql: Client, id: string): Promise<Outbound> {
  const [row] = await sql<Outbound[]>`
    select id, contact_id, state, wait_reason, failure_reason, attempt_count, lease_token, due_at, wamid, former_wamids,
      message_id, is_fallback, last_error
    from public.whatsapp_message_queue where id = ${id}
    union all
    select id, contact_id, state, wait_reason, failure_reason, attempt_count, lease_token, due_at, wamid, former_wamids,
      message_id, is_fallback, last_error
    from public.whatsapp_message_queue_history where id = ${id}`;
  if (!row) throw new Error(`no message ${id}`);
  return row;
}

/** State and reason of a message: `failed: window_closed`. */
export async function outcomeOf(sql: Client, id: string): Promise<string> {
  const { state, wait_reason, failure_reason } = await outbound(sql, id);
  const reason = wait_reason ?? failure_reason;
  return reason ? `${state}: ${reason}` : state;
}

/** A status of a message of ours, as Meta's webhook brings it. */
export async function report(
  sql: TransactionSql,
  id: string,
  wamid: string,
  name: string,
  fields: Record<string, unknown> = {},
): Promise<void> {
  await ingest(sql, statuses(status(wamid, name, { biz_opaque_callback_data: id, ...fields })));
}

/** Makes everything in the queue that much older, as if the time had passed. */
export async function passTime(sql: Client, interval: string): Promise<void> {
  await sql`
    update public.whatsapp_message_queue set
      due_at = due_at - ${interval}::interval, claimed_at = claimed_at - ${interval}::interval,
      unknown_at = unknown_at - ${interval}::interval, expires_at = expires_at - ${interval}::interval,
      created_at = created_at - ${interval}::interval`;
  await sql`update private.whatsapp_lanes set paced_until = paced_until - ${interval}::interval`;
  await sql`update private.whatsapp_status_horizons set reported_at = reported_at - ${interval}::interval`;
  await sql`
    update public.whatsapp_circuits set
      paused_until = paused_until - ${interval}::interval, opened_at = opened_at - ${interval}::interval`;
  await sql`update private.whatsapp_senders set paced_until = paced_until - ${interval}::interval`;
}

/** Tends the queue as the schedule does. */
export async function tend(sql: Client): Promise<void> {
  await sql`select private.tend_whatsapp_queue(1000)`;
}
