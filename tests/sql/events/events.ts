import postgres, { type ISql, type JSONValue, type TransactionSql } from "postgres";
import { until } from "../../support/until.ts";

/** An event to append, with the arguments of `append_event()`. */
export type Draft = Record<string, unknown>;

/** What an append answers; the driver gives bigints as texts. */
export interface Receipt {
  event_id: string;
  aggregate_type: string;
  aggregate_id: string;
  version: string;
  transaction_id: string;
  position: string;
  appended_at: Date;
  is_duplicate: boolean;
}

/** A row of `event_store`. */
export interface StoredEvent {
  id: string;
  created_at: Date;
  version: string;
  transaction_id: string;
  position: string;
  event_id: string;
  occurred_at: Date;
  schema_version: number;
  aggregate_type: string;
  aggregate_id: string;
  event_type: string;
  payload: Record<string, unknown>;
  metadata: Record<string, unknown>;
  correlation_id: string | null;
  causation_id: string | null;
  actor: string;
}

/** Where in the order of the whole a reader stands. */
export type Place = Pick<StoredEvent, "transaction_id" | "position">;

/** Before the first event. */
export const START: Place = { transaction_id: "0", position: "0" };

/** An event of the trip t1, but for these fields. */
export function draft(fields: Draft = {}): Draft {
  return { aggregate_type: "trip", aggregate_id: "t1", event_type: "trip.moved", payload: {}, ...fields };
}

/** Appends one event through `append_event()`. */
export async function append(sql: ISql, fields: Draft = {}): Promise<Receipt> {
  const names = Object.keys(draft(fields));
  const values = Object.values(draft(fields)).map((value) => isJson(value) ? sql.json(value) : value);
  const [receipt] = await sql.unsafe<Receipt[]>(
    `select * from public.append_event(${names.map((name, index) => `${name} => $${index + 1}`).join(", ")})`,
    values as never[],
  );
  return receipt!;
}

/** Appends events through `append_events()`. */
export async function appendAll(sql: ISql, ...drafts: unknown[]): Promise<Receipt[]> {
  return [...await sql<Receipt[]>`select * from public.append_events(${sql.json(drafts as JSONValue)})`];
}

/** The events of a stream, as `get_aggregate_events()` gives them. */
export async function streamOf(sql: ISql, aggregateId = "t1", afterVersion = 0): Promise<StoredEvent[]> {
  return [
    ...await sql<StoredEvent[]>`select * from public.get_aggregate_events('trip', ${aggregateId}, ${afterVersion})`,
  ];
}

/** The events of all streams after that place, as far as `read_events()` shows them. */
export async function readAfter(sql: ISql, place: Place = START, maxCount = 1000): Promise<StoredEvent[]> {
  return [
    ...await sql<StoredEvent[]>`
    select * from public.read_events(${place.transaction_id}, ${place.position}, ${maxCount})`,
  ];
}

/** Waits until all events that are stored show to readers: transactions of other tests on this cluster hold them up for a while. */
export async function untilReadable(sql: ISql): Promise<void> {
  await until(async () => {
    const hidden = await sql`
      select from public.event_store where transaction_id >= (select private.event_horizon()) limit 1`;
    return hidden.length === 0;
  }, "the events show");
}

/** Code and details of the refusal that `work` meets; fails when it meets none. The transaction stays usable. */
export async function refusalOf(
  sql: TransactionSql,
  work: (sql: TransactionSql) => Promise<unknown>,
): Promise<[code: string, details: unknown]> {
  try {
    await sql.savepoint(work);
  } catch (error) {
    if (!(error instanceof postgres.PostgresError) || error.code !== "PGRST") throw error;
    const { code, details } = JSON.parse(error.message);
    return [code, details && JSON.parse(details)];
  }
  throw new Error("it was not refused");
}

function isJson(value: unknown): value is Record<string, never> {
  return typeof value === "object" && value !== null;
}
