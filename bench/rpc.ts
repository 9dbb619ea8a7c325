import { withConnection } from "../scripts/stack/database.ts";
import { LOCAL_KEYS } from "../scripts/stack/development.ts";
import { withMigratedPostgres } from "../scripts/stack/throwaway.ts";
import type { Measurement } from "./measurement.ts";
import { CLOSED_LOOP_COLUMNS, closedLoopRows, loadInTurn, type Target } from "./support/http_rounds.ts";
import { startServer } from "./support/processes.ts";

const DATABASE = "bench";
const FLOOR = "postgres.js alone";
/** Names and the kinds of peers/rpc_server.ts. */
const SERVERS = { "ours": "ours", "@supabase/lite": "lite", [FLOOR]: "direct" };

const SUM = `
  create function public.bench_sum(one integer, other integer) returns integer
  language plpgsql set search_path = '' as 'begin return bench_sum.one + bench_sum.other; end';
  grant execute on function public.bench_sum to service_role`;

const POST = {
  headers: {
    "content-type": "application/json",
    "apikey": LOCAL_KEYS.secretKey,
    "authorization": `Bearer ${LOCAL_KEYS.secretKey}`,
  },
  body: JSON.stringify({ one: 1, other: 2 }),
};

/** The local `/rest/v1/rpc`. */
export const rpc: Measurement = {
  about: "A function that adds two numbers, called over HTTP with the secret key, from a client in another process.",
  run: () =>
    withMigratedPostgres(DATABASE, async ({ url }, port) => {
      await withConnection(url, (sql) => sql.unsafe(SUM).simple());
      await using servers = new AsyncDisposableStack();
      const targets: Record<string, Target> = {};
      for (const [name, kind] of Object.entries(SERVERS)) {
        const server = servers.use(await startServer("bench/peers/rpc_server.ts", kind, String(port), DATABASE));
        targets[name] = { url: `${server.url}/rest/v1/rpc/bench_sum`, pid: server.pid };
      }
      await loadInTurn(url, targets, { rounds: 1, seconds: 3, connections: 10, post: POST });
      const found = await loadInTurn(url, targets, { rounds: 5, seconds: 6, connections: 10, post: POST });
      return [{
        title: "10 connections, each calls when it is answered",
        columns: ["server", ...CLOSED_LOOP_COLUMNS],
        rows: closedLoopRows(found, FLOOR),
        notes: [
          "Medians of 5 interleaved rounds of 6 s, each server alone in its process.",
          "The floor runs one prepared statement: no transaction, no role, no claims, no headers, no function look-up.",
        ],
      }];
    }),
};
