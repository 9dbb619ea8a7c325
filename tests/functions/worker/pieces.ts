import type { Sql } from "postgres";
import type { ServiceRpc } from "shared/db/service_rpc.ts";
import type { ClaimedSource, Outcome, RepeatedSource, Settled, Turn } from "shared/worker/source.ts";

/** A row of `leased_pieces`. */
export interface Piece {
  id: number;
  name: string;
  lease_token: number;
  attempt_count: number;
  correlation_id: string | null;
}

export type HandlePiece = (piece: Piece, signal: AbortSignal) => Promise<Outcome>;

/** Makes the tables and functions of both kinds of work. */
export async function createPieces(sql: Sql): Promise<void> {
  await sql.unsafe(await Deno.readTextFile(new URL("./pieces.sql", import.meta.url))).simple();
}

// These functions exist in the tests' databases only, so no generated type knows them.
type Untyped = (name: string, args: unknown, options?: { correlationId?: string }) => Promise<unknown>;

/** The pieces that SQL does by itself. */
export function pieces(call: ServiceRpc, maxCount = 10): RepeatedSource {
  const rpc = call as Untyped;
  return { name: "pieces", turn: () => rpc("run_pieces", { max_count: maxCount }) as Promise<Turn> };
}

/** The pieces that are claimed and handled here. */
export function leasedPieces(
  call: ServiceRpc,
  handle: HandlePiece,
  { concurrency = 8, timeoutMs = 10_000, leaseMilliseconds = 30_000 } = {},
): ClaimedSource<Piece> {
  const rpc = call as Untyped;
  async function settle(name: string, settled: Settled<Piece>[], more = {}): Promise<number> {
    const args = { ids: settled.map(({ item }) => item.id), lease_tokens: settled.map(({ item }) => item.lease_token) };
    const correlationId = settled[0]!.item.correlation_id ?? undefined;
    return await rpc(name, { ...args, ...more }, { correlationId }) as number;
  }
  return {
    name: "leased_pieces",
    concurrency,
    timeoutMs,
    claim: (maxCount) =>
      rpc("claim_pieces", { max_count: maxCount, lease_milliseconds: leaseMilliseconds }) as Promise<Piece[]>,
    handle,
    complete: (settled) => settle("complete_pieces", settled),
    fail: (settled) => settle("fail_pieces", settled, { errors: settled.map(({ error }) => String(error)) }),
    release: (settled) => settle("release_pieces", settled),
  };
}

/** Adds so many pieces to a table; their numbers begin after `before`. */
export async function addPieces(sql: Sql, table: "pieces" | "leased_pieces", count: number, before = 0): Promise<void> {
  await sql`insert into ${sql(table)} (name)
    select ${table} || ' ' || n from generate_series(${before + 1}::int, ${before + count}::int) as n`;
}

/** What was effected, in order of names; what was effected twice stands here twice. */
export async function effects(sql: Sql): Promise<string[]> {
  return (await sql`select piece from public.effects order by piece, id`).map(({ piece }) => piece);
}
