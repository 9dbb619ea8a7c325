import type { ISql } from "postgres";
import { momoSmsEvent } from "shared/payments/momo_sms/momo_sms_event.ts";
import type { PaymentSignal } from "shared/payments/payment_signal.ts";
import { create } from "../payments/payments.ts";
import { openWallet } from "../wallet/wallets.ts";

export const RECEIVER = "+250788000000";
/** Of the payments by USSD below. */
export const PAYER = "+250788000001";

export interface Answer {
  received: boolean;
  duplicate: boolean;
  outcome: string;
}

/** An event as the edge hands it on; by default that Stripe has charged 1,000 francs. */
export interface Told {
  provider: string;
  event_id: string;
  event_type: string;
  payload: Record<string, unknown>;
  signal: Partial<PaymentSignal>;
}

export async function ingest(sql: ISql, told: Partial<Told>): Promise<Answer> {
  const { provider = "stripe", event_id = crypto.randomUUID(), event_type = "tried", payload = {}, signal } = told;
  const whole = {
    kind: "charge",
    status: "succeeded",
    attempt_id: null,
    provider_id: `pi_${event_id}`,
    amount: 1_000,
    currency: "RWF",
    evidence: "webhook",
    ...signal,
  };
  const [row] = await sql`
    select public.ingest_payment_event(
      ${provider}::text::public.payment_provider, ${event_id}, ${event_type}, ${sql.json(payload as never)}, ${
    sql.json(whole as never)
  }
    ) as answer`;
  return row!.answer;
}

/** What is kept of an event. */
export async function eventOf(sql: ISql, eventId: string) {
  const [row] = await sql`
    select id, outcome, reason, transaction_id, attempt_id, review_id, copy_count, contradicted_at is not null as is_contradicted, payload, signal
    from public.payment_webhook_events where event_id = ${eventId}`;
  return row!;
}

/** A payment to a new wallet that waits for its provider. */
export async function expectPayment(sql: ISql, method: string, amount = 1_000, phone: string | null = null) {
  const accountId = await openWallet(sql);
  const { id, reference } = await create(sql, { method, amount, phone, to: accountId });
  const [attempt] = await sql`select id from public.payment_attempts where transaction_id = ${id}`;
  return { id, reference, accountId, attemptId: attempt!.id as string };
}

/** A payment that somebody is to dial. */
export function expectUssd(sql: ISql, amount = 1_000, phone: string | null = PAYER) {
  return expectPayment(sql, "momo_ussd", amount, phone);
}

/** A number of ours whose texts are believed, and USSD payments to it. */
export async function openReceiver(sql: ISql, options: Record<string, unknown> = {}): Promise<void> {
  await sql`select public.set_payment_channel('momo_ussd', true, merchant_code => '123456')`;
  await sql`select public.set_momo_receiver(${RECEIVER})`;
  if (Object.keys(options).length > 0) {
    await sql`update public.momo_receivers set ${sql(options)} where receiving_number = ${RECEIVER}`;
  }
}

/** What MTN writes to our number. */
export interface Receipt {
  amount: number;
  /** After it. */
  balance: number;
  name: string;
  payer: string;
  message: string;
  id: string;
  at: Date;
  sender: string;
  receiving_number: string;
}

let receipts = 0;

export function receiptText(receipt: Partial<Receipt>): string {
  const { amount = 1_000, name = "Aline Uwase", payer = `*********${PAYER.slice(-3)}`, message = "", at = new Date() } =
    receipt;
  const { balance = 50_000 + amount, id = String(76_662_000_000 + ++receipts) } = receipt;
  const kigali = new Date(at.getTime() + 7_200_000).toISOString().slice(0, 19).replace("T", " ");
  return `You have received ${amount} RWF from ${name} (${payer}) on your mobile money account at ${kigali}. ` +
    `Message from sender: ${message}. Your new balance:${balance} RWF. Financial Transaction Id: ${id}.`;
}

/** Hands a text on as the edge does; gives the answer and the event's id. */
export async function receiveText(
  sql: ISql,
  text: string,
  receipt: Partial<Receipt> = {},
): Promise<Answer & { event_id: string }> {
  const { sender = "M-Money", receiving_number = RECEIVER } = receipt;
  const event = await momoSmsEvent({ message: text, sender, receiving_number });
  if (!event) throw new Error("noise");
  return { ...await ingest(sql, { ...event, provider: "momo_sms" } as unknown as Told), event_id: event.event_id };
}

export function receive(sql: ISql, receipt: Partial<Receipt> = {}): Promise<Answer & { event_id: string }> {
  return receiveText(sql, receiptText(receipt), receipt);
}

export async function chainOf(sql: ISql): Promise<string[]> {
  const rows = await sql`select chain from public.momo_receipts order by occurred_at, event_id`;
  return rows.map(({ chain }) => chain);
}
