import { withConnection } from "../../scripts/stack/database.ts";
import type { DurablePostgres } from "./durable_postgres.ts";
import { ask } from "./json_server.ts";
import type { LedgerCommands } from "./ledger_server.ts";
import type { Reading } from "./meter.ts";
import { startServer } from "./processes.ts";

/** One ledger under measurement, in a process of its own. */
export interface LedgerRival extends AsyncDisposable {
  transfer(input: LedgerCommands["transfer"]): Promise<Reading>;
  /** What autovacuum and the schedule would do some time. */
  tidy(): Promise<void>;
}

/** wallet_transfer(): with the caller's key and a stored answer. */
export const OURS = "ours";
/** private.post_wallet_transaction() alone. */
export const POSTING = "posting";
export const REFERENCE = "reference";

const SCRIPT = "bench/processes/sql_ledger.ts";
const REFERENCE_SQL = new URL("../peers/reference_ledger.sql", import.meta.url);
const OUR_TABLES =
  "public.wallet_balances, public.wallet_transactions, public.wallet_entries, public.wallet_transaction_keys, public.idempotency_keys";
const TABLES: Record<string, string> = {
  [OURS]: OUR_TABLES,
  [POSTING]: OUR_TABLES,
  [REFERENCE]: "reference_ledger.accounts, reference_ledger.transactions, reference_ledger.entries",
};

/** Starts the ledgers on one Postgres, each in its process, with so many accounts. */
export async function startLedgers(
  postgres: DurablePostgres,
  accounts: number,
): Promise<{ rivals: Record<string, LedgerRival> } & AsyncDisposable> {
  const reference = await Deno.readTextFile(REFERENCE_SQL);
  await withConnection(postgres.url, (sql) => sql.unsafe(reference).simple());
  await using servers = new AsyncDisposableStack();
  const rivals: Record<string, LedgerRival> = {};
  for (const name of Object.keys(TABLES)) rivals[name] = servers.use(await startLedger(postgres, name, accounts));
  const moved = servers.move();
  return { rivals, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

async function startLedger(
  { url, postmaster, sql }: DurablePostgres,
  name: string,
  count: number,
): Promise<LedgerRival> {
  const server = await startServer(SCRIPT, url, String(postmaster), name);
  await ask(server, "open", { count });
  return {
    transfer: (input) => ask(server, "transfer", input),
    tidy: async () => {
      await sql`truncate private.wallet_news`;
      await sql.unsafe(`vacuum (analyze) ${TABLES[name]}`);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
