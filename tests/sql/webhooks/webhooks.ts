import type { ISql, JSONValue, TransactionSql } from "postgres";

/** What registering an endpoint answers. */
export interface Endpoint {
  id: string;
  secret: string;
  status: string;
}

/** What a worker gets to post. */
export interface Claimed {
  id: string;
  lease_token: string;
  url: string;
  secrets: string[];
  event_id: string;
  event_type: string;
  data: Record<string, unknown>;
}

/** A row of `list_webhook_deliveries()`. */
export interface Listed {
  id: string;
  event_id: string;
  event_type: string;
  state: string;
  attempt_count: number;
  last_status: number | null;
  last_error: string | null;
  last_answer: string | null;
}

/** Registers an endpoint of the platform that hears of everything, but for these arguments. */
export async function createEndpoint(sql: ISql, fields: Record<string, unknown> = {}): Promise<Endpoint> {
  const given = { url: `https://hooks.example.com/${crypto.randomUUID()}`, ...fields };
  const names = Object.keys(given);
  const [row] = await sql.unsafe<{ endpoint: Endpoint }[]>(
    `select public.create_webhook_endpoint(${names.map((name, index) => `${name} => $${index + 1}`)}) as endpoint`,
    Object.values(given) as never[],
  );
  return row!.endpoint;
}

/** What a payment's event tells, but for these fields. */
export function payment(fields: Record<string, JSONValue> = {}): Record<string, JSONValue> {
  const transaction_id = crypto.randomUUID();
  return { transaction_id, type: "payment", status: "succeeded", amount: 700, currency: "RWF", ...fields };
}

/** Records an event of a payment, as the payments do; gives its id. */
export async function recordEvent(
  sql: ISql,
  type = "payment.succeeded",
  payload: Record<string, JSONValue> = payment(),
): Promise<string> {
  const [row] = await sql`
    select receipt.event_id as id from unnest(private.record_events(array[row(
      'transaction', ${String(payload.transaction_id)}, ${type}::text, ${sql.json(payload)}::jsonb,
      null, null, null, null, null
    )::private.new_event])) as receipt`;
  return row!.id;
}

/** What the subscription does with events, in this transaction: others' show only once they are committed. */
export async function fanOut(sql: TransactionSql, ...eventIds: string[]): Promise<void> {
  await sql`select private.fan_out_webhooks(array(
    select event from public.event_store as event where event.id = any(${eventIds}) order by event.id
  ))`;
}

/** An event that has come to its endpoints. */
export async function happened(
  sql: TransactionSql,
  type?: string,
  payload?: Record<string, JSONValue>,
): Promise<string> {
  const id = await recordEvent(sql, type, payload);
  await fanOut(sql, id);
  return id;
}

/** What a worker is given. */
export async function claim(sql: ISql, maxCount = 40): Promise<Claimed[]> {
  return [...await sql<Claimed[]>`select * from public.claim_webhook_deliveries(${maxCount}, 30)`];
}

/** An endpoint's answer to one claimed delivery; says whether that was written down. */
export async function answer(sql: ISql, claimed: Claimed, attempt: Record<string, JSONValue>): Promise<boolean> {
  const attempts = [{ delivery_id: claimed.id, lease_token: Number(claimed.lease_token), duration_ms: 5, ...attempt }];
  const [row] = await sql`select public.report_webhook_attempts(${sql.json(attempts)}) as ids`;
  return row!.ids.length === 1;
}

/** All that an endpoint was sent, the oldest first. */
export async function deliveriesOf(sql: ISql, endpoint: Endpoint): Promise<Listed[]> {
  return [...await sql<Listed[]>`select * from public.list_webhook_deliveries(${endpoint.id}) order by id`];
}

/** The endpoint as it is. */
export async function endpointOf(sql: ISql, { id }: Endpoint): Promise<Record<string, unknown>> {
  const [row] = await sql`select * from public.webhook_endpoints where id = ${id}`;
  return row!;
}

/** Lets what waits be due now, as if the time had come, and pauses be over. */
export async function makeDue(sql: ISql): Promise<void> {
  await sql`update public.webhook_deliveries set due_at = now() where leased_until is null`;
  await sql`update public.webhook_endpoints set paused_until = '-infinity' where paused_until > '-infinity'`;
}

/** Lets the leases of what is being sent end. */
export async function endLeases(sql: ISql): Promise<void> {
  await sql`update public.webhook_deliveries set due_at = now(), leased_until = now() where leased_until is not null`;
}

/** What was told of an endpoint, in order. */
export async function toldOf(
  sql: ISql,
  { id }: Endpoint,
): Promise<{ event_type: string; payload: Record<string, unknown> }[]> {
  return [
    ...await sql<{ event_type: string; payload: Record<string, unknown> }[]>`
    select event_type, payload from public.event_store
    where aggregate_type = 'webhook_endpoint' and aggregate_id = ${id} order by version`,
  ];
}
