import type { ISql, JSONValue, TransactionSql } from "postgres";

export const PHONE = "+250788000001";

/** What `notify()` answers. */
export interface Notified {
  notification_id: string;
  is_duplicate: boolean;
  state: string;
  scheduled_at: Date;
}

/** What a worker is given to send. */
export interface Claimed {
  delivery_id: string;
  lease_token: string;
  channel: string;
  address: Record<string, unknown>;
  title: string | null;
  body: string;
  data: Record<string, unknown>;
  notification_id: string | null;
  locale: string;
  expires_at: Date | null;
  attempt_count: number;
}

/** What became of each channel that was tried. */
export type ProviderOutcome = { provider?: string; code?: string; detail?: string };
export type Outcomes = Record<string, { state: string; reason?: string; attempts?: number }>;

/** A person who is reached by text message, speaks Kinyarwanda and has no quiet hours. */
export async function createPerson(
  sql: ISql,
  fields: { phone?: string | null; locale?: string } = {},
): Promise<string> {
  const { phone = PHONE, locale = "rw" } = fields;
  const [row] = await sql`insert into public.profiles (phone, locale) values (${phone}, ${locale}) returning id`;
  await sql`insert into public.notification_settings (profile_id, quiet_from, quiet_to) values (${
    row!.id
  }, null, null)`;
  return row!.id;
}

/** Calls `notify()` for a person with the category `payment` and a body, but for these arguments. */
export async function notify(sql: ISql, person: string, fields: Record<string, unknown> = {}): Promise<Notified> {
  const given: Record<string, unknown> = { user_id: null, category: "payment", profile_id: person, ...fields };
  if (!given.template && !("body" in given)) given.body = "You were paid";
  const names = Object.keys(given);
  const values = Object.values(given).map((value) => isJson(value) ? sql.json(value) : value);
  const [row] = await sql.unsafe<Notified[]>(
    `select * from public.notify(${names.map((name, index) => `${name} => $${index + 1}`).join(", ")})`,
    values as never[],
  );
  return row!;
}

/** What a worker gets for that channel. */
export async function claim(sql: ISql, channel = "sms"): Promise<Claimed[]> {
  return [...await sql<Claimed[]>`select * from public.claim_notifications(${channel})`];
}

/** A provider has taken it. */
export async function complete(sql: ISql, { delivery_id, lease_token }: Claimed): Promise<void> {
  await sql`select public.complete_notification(${delivery_id}, ${lease_token}, 'fake', 'id-1')`;
}

/** A provider has not taken it. */
export async function fail(sql: ISql, { delivery_id, lease_token }: Claimed, error: JSONValue): Promise<void> {
  await sql`select public.fail_notification(${delivery_id}, ${lease_token}, ${sql.json(error)})`;
}

/** How far a notification is, and what became of its channels. */
export async function stateOf(sql: ISql, { notification_id }: Notified): Promise<[state: string, outcomes: Outcomes]> {
  const [row] = await sql`select state, outcomes from public.notifications where id = ${notification_id}`;
  return [row!.state, row!.outcomes];
}

/** What the providers said, as the event of a notification's end tells it. */
export async function providersOf(sql: ISql, { notification_id }: Notified): Promise<Record<string, ProviderOutcome>> {
  const [event] = await sql`
    select payload -> 'outcomes' as outcomes from public.event_store
    where aggregate_type = 'notification' and aggregate_id = ${notification_id}`;
  return event!.outcomes;
}

/** Lets what waits be due now, as if the time had come. */
export async function makeDue(sql: TransactionSql): Promise<void> {
  await sql`update public.notification_deliveries set scheduled_at = now() - interval '1 second'`;
}

function isJson(value: unknown): value is JSONValue & object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
