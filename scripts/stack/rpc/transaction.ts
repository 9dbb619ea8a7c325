import postgres, { type ReservedSql } from "postgres";
import { fingerprint, type Settings } from "./catalog.ts";
import { ApiError, isAnswer } from "./errors.ts";

/** One call of one function: all that travels to Postgres. */
export interface Transaction {
  schema: string;
  name: string;
  /** What `name` meant when the call was written. */
  fingerprint: string;
  isReadOnly: boolean;
  /** Held for the transaction, set in this order. */
  settings: Settings;
  text: string;
  parameters: (string | number | Uint8Array)[];
  /** Whether the same text comes again and again. */
  isPrepared: boolean;
  /** Whether anything but one row undoes it all. */
  isSingular: boolean;
}

/** What a call brought, its JSON untouched. */
export interface Result {
  body: Uint8Array;
  rowCount: number;
  /** Rows without limit and offset, when the caller asked. */
  totalCount: number | undefined;
  /** `response.status` and `response.headers` as the function left them. */
  status: string | undefined;
  headers: string | undefined;
}

type Query = ReturnType<ReturnType<ReservedSql["unsafe"]>["raw"]>;

// Stale divides by zero: the transaction is spoilt before the call, at the cost of no round trip.
const APPLY_SETTINGS = `
select count(pg_catalog.set_config(key, value, true)), 1 / (${fingerprint("$2", "$3")} is not distinct from $4)::int
from pg_catalog.json_each_text($1::text::json)`;
const DIVISION_BY_ZERO = "22012";

/**
 * Calls in a transaction of its own and one round trip: begin, settings, call and commit leave together, and a commit
 * behind an error is a rollback.
 *
 * @param signal - when the caller gives up, the running statement is cancelled
 * @throws PostgresError; ApiError 503 PGRST002 when the function has changed since it was looked up and was not called,
 *   406 PGRST116 when a single row was wanted; after any other error the connection is of no more use
 */
export async function run(sql: ReservedSql, transaction: Transaction, signal: AbortSignal): Promise<Result> {
  const { schema, name, settings, text, parameters, isPrepared, isSingular } = transaction;
  send(sql, beginOf(transaction));
  const applied = send(sql, APPLY_SETTINGS, [JSON.stringify(settings), schema, name, transaction.fingerprint]);
  const called = send(sql, text, parameters, isPrepared);
  const ended = isSingular ? undefined : send(sql, "commit");
  try {
    await applied.catch(throwStale);
    const result = toResult(await finished(called, signal));
    if (isSingular && result.rowCount !== 1) throw notOne(result.rowCount);
    await (ended ?? send(sql, "commit"));
    return result;
  } catch (error) {
    // A broken connection would let us wait for ever; on any other the next call must find this transaction ended.
    if (isAnswer(error)) await (ended ?? send(sql, "rollback"));
    throw error;
  }
}

function beginOf({ isReadOnly, settings: { default_transaction_isolation: isolation } }: Transaction): string {
  return `begin${isolation ? ` isolation level ${isolation}` : ""} read ${isReadOnly ? "only" : "write"}`;
}

function send(
  sql: ReservedSql,
  text: string,
  parameters: Transaction["parameters"] = [],
  prepare = true,
): Query {
  const query = sql.unsafe(text, parameters, { prepare }).raw();
  query.catch(() => {}); // also starts it; whoever awaits it gets the error
  return query;
}

function throwStale(error: unknown): never {
  const isStale = error instanceof postgres.PostgresError && error.code === DIVISION_BY_ZERO;
  throw isStale ? new ApiError(503, "PGRST002", "The function is changing") : error;
}

/** Waits for the statement that runs now: postgres.js confuses answers when one still in its queue is cancelled. */
async function finished(query: Query, signal: AbortSignal): Promise<(Uint8Array | null)[]> {
  let cancelled: unknown;
  const cancel = () => cancelled = Promise.resolve(query.cancel() as unknown).catch(() => {});
  signal.addEventListener("abort", cancel);
  if (signal.aborted) cancel();
  try {
    const [row] = await query;
    return row!;
  } finally {
    signal.removeEventListener("abort", cancel);
    await cancelled; // a late cancel request would hit whatever this connection runs next
  }
}

function toResult([body, rowCount, totalCount, status, headers]: (Uint8Array | null)[]): Result {
  const text = (bytes?: Uint8Array | null) => bytes ? new TextDecoder().decode(bytes) : undefined;
  return {
    body: body!,
    rowCount: Number(text(rowCount)),
    totalCount: totalCount ? Number(text(totalCount)) : undefined,
    status: text(status),
    headers: text(headers),
  };
}

function notOne(rowCount: number): ApiError {
  return new ApiError(406, "PGRST116", "Cannot coerce the result to a single JSON object", {
    details: `The result contains ${rowCount} rows`,
  });
}
