import postgres, { type ISql, type JSONValue, type TransactionSql } from "postgres";

/** The queue of tests that need only one. */
export const QUEUE = "receipts";

/** A message to be enqueued, with the arguments of `enqueue_message()`. */
export type Draft = Record<string, unknown>;

/** What became of a draft. The driver gives bigints as texts. */
export interface Enqueued {
  message_id: string;
  is_duplicate: boolean;
}

/** A message as its worker gets it. */
export interface Claimed {
  id: string;
  lease_token: string;
  lease_expires_at: Date;
  message_type: string;
  payload: Record<string, unknown>;
  headers: Record<string, unknown>;
  priority: number;
  attempt_count: number;
  max_attempts: number;
  ordering_key: string | null;
  idempotency_key: string | null;
  correlation_id: string | null;
  last_error: string | null;
}

/** What became of a message that failed. */
export interface Failed {
  message_id: string;
  state: string;
  due_at: Date;
}

/** What a worker may tell of a failure. */
export interface Failure {
  error?: string | null;
  retryAfter?: number | null;
  isPermanent?: boolean;
}

/** Makes a queue or changes its settings. */
export async function openQueue(sql: ISql, settings: Record<string, unknown> = {}, name = QUEUE): Promise<void> {
  await call(sql, "create_queue", { queue_name: name, ...settings });
}

/** Enqueues one message. */
export async function enqueue(sql: ISql, draft: Draft = {}, queue = QUEUE): Promise<Enqueued> {
  const [row] = await call<Enqueued>(sql, "enqueue_message", {
    queue_name: queue,
    message_type: "receipt.send",
    payload: {},
    ...draft,
  });
  return row!;
}

/** Enqueues several in one call; gives what became of each. */
export async function enqueueAll(sql: ISql, drafts: Draft[], queue = QUEUE): Promise<Enqueued[]> {
  const messages = drafts.map((draft) => ({ message_type: "receipt.send", payload: {}, ...draft }));
  return [
    ...await sql<Enqueued[]>`select * from public.enqueue_messages(${queue}, ${sql.json(messages as JSONValue)})`,
  ];
}

/** Claims messages. */
export async function claim(
  sql: ISql,
  count = 10,
  { queue = QUEUE, lease = null as number | null } = {},
): Promise<Claimed[]> {
  return [...await sql<Claimed[]>`select * from public.claim_messages(${queue}, ${count}, ${lease})`];
}

/** Claims the one message that there must be. */
export async function claimOne(sql: ISql, options = {}): Promise<Claimed> {
  const [message] = await claim(sql, 1, options);
  if (!message) throw new Error("nothing was ready");
  return message;
}

/** Completes messages; gives the ids that were. */
export function complete(sql: ISql, claimed: Leases): Promise<string[]> {
  return act(sql, "complete_messages", claimed);
}

/** Gives messages back; gives the ids that were. */
export function release(sql: ISql, claimed: Leases): Promise<string[]> {
  return act(sql, "release_messages", claimed);
}

/** Prolongs leases; gives the ids of those that were. */
export async function extend(sql: ISql, claimed: Leases, seconds: number): Promise<string[]> {
  const [row] = await sql`
    select public.extend_messages(${ids(claimed)}::bigint[], ${tokens(claimed)}::bigint[], ${seconds}) as ids`;
  return row!.ids;
}

/** Fails messages, each in the same way. */
export async function fail(sql: ISql, claimed: Leases, failure: Failure = {}): Promise<Failed[]> {
  const rows = await sql<Failed[]>`
    select * from public.fail_messages(
      ${ids(claimed)}::bigint[], ${tokens(claimed)}::bigint[],
      ${claimed.map(() => failure.error ?? null)}::text[],
      ${claimed.map(() => failure.retryAfter ?? null)}::integer[],
      ${claimed.map(() => String(failure.isPermanent ?? false))}::text[]::boolean[]
    )`;
  return [...rows];
}

/** Takes messages out; gives the ids that were. */
export async function cancel(sql: ISql, messageIds: string[]): Promise<string[]> {
  const [row] = await sql`select public.cancel_messages(${QUEUE}, ${messageIds}::bigint[]) as ids`;
  return row!.ids;
}

/** Lets dead messages start anew; gives their ids. */
export async function redrive(sql: ISql, options: Record<string, unknown> = {}): Promise<string[]> {
  const [row] = await call<{ redrive_messages: string[] }>(sql, "redrive_messages", { queue_name: QUEUE, ...options });
  return row!.redrive_messages;
}

/** What the schedule does every second. */
export async function tend(sql: ISql): Promise<void> {
  await sql`select private.tend_message_queue()`;
}

/** Lets leases run out and what is scheduled become due, as if so much time had passed. */
export async function pass(sql: ISql, time: string): Promise<void> {
  await sql`delete from private.message_queue_floors`;
  await sql`
    with waiting as materialized (
      select id from public.message_queue where state in ('scheduled', 'leased', 'blocked') for update skip locked
    )
    update public.message_queue as message set due_at = due_at - ${time}::interval from waiting where message.id = waiting.id`;
}

/** The states of messages in the order of their enqueuing. */
export async function states(sql: ISql, queue = QUEUE): Promise<string[]> {
  const rows = await sql`select state from public.message_queue where queue_name = ${queue} order by id`;
  return rows.map(({ state }) => state);
}

/** What the history tells of messages, in the order of their finishing. */
export async function finished(sql: ISql): Promise<postgres.Row[]> {
  const rows = await sql`
    select message_id, outcome, attempt_count, last_error, payload, correlation_id from public.message_queue_history
    order by id`;
  return [...rows];
}

/** The code and the details that `work` is refused with. */
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

type Leases = Pick<Claimed, "id" | "lease_token">[];

const ids = (claimed: Leases) => claimed.map(({ id }) => id);
const tokens = (claimed: Leases) => claimed.map(({ lease_token }) => lease_token);

async function act(sql: ISql, name: string, claimed: Leases): Promise<string[]> {
  const [row] = await sql`select public.${sql(name)}(${ids(claimed)}::bigint[], ${tokens(claimed)}::bigint[]) as ids`;
  return row!.ids;
}

/** Calls a function by the names of its arguments, as PostgREST does. */
async function call<Row>(sql: ISql, name: string, given: Record<string, unknown>): Promise<Row[]> {
  const names = Object.keys(given);
  const values = Object.values(given).map((value) => isObject(value) ? JSON.stringify(value) : value);
  const list = names.map((argument, n) => {
    const cast = isObject(given[argument]) ? "::text::jsonb" : "";
    return `${argument} => $${n + 1}${cast}`;
  });
  const rows = await sql.unsafe(`select * from public.${name}(${list.join(", ")})`, values as string[]);
  return rows as unknown as Row[];
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
