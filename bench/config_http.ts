import type { Sql } from "postgres";
import { withConnection } from "../scripts/stack/database.ts";
import { LOCAL_KEYS } from "../scripts/stack/development.ts";
import { withMigratedPostgres } from "../scripts/stack/throwaway.ts";
import type { Measurement } from "./measurement.ts";
import { CLOSED_LOOP_COLUMNS, closedLoopRows, loadInTurn, type Target } from "./support/http_rounds.ts";
import { startServer } from "./support/processes.ts";

const DATABASE = "bench";
const FLOOR = "the rpc alone";
const KEY = { apikey: LOCAL_KEYS.secretKey };

/** A service's configuration, read whole and when nothing has changed. */
export const configHttp: Measurement = {
  about: "A document of 50 values through config-fetch, beside the SQL function that it calls, over HTTP.",
  run: ({ rounds, isQuick }) =>
    withMigratedPostgres(DATABASE, async ({ url }, port) => {
      await withConnection(url, makeValues);
      await using stack = await startServer("bench/peers/flag_stack.ts", String(port), DATABASE, "");
      const document = `${stack.url}/functions/v1/config-fetch/payments`;
      const answer = await fetch(document, { headers: KEY });
      await answer.body?.cancel();
      const known = { ...KEY, "if-none-match": answer.headers.get("etag")! };
      const targets: Record<string, Target> = {
        "200": { url: document, pid: stack.pid, get: { headers: KEY } },
        "304": { url: document, pid: stack.pid, get: { headers: known } },
        [FLOOR]: { url: `${stack.url}/rest/v1/rpc/get_service_configs`, pid: stack.pid, post: RPC },
      };
      await loadInTurn(url, targets, { rounds: 1, seconds: isQuick ? 1 : 3, connections: 10 });
      const found = await loadInTurn(url, targets, { rounds, seconds: isQuick ? 3 : 6, connections: 10 });
      return [{
        title: "10 connections, each asks when it is answered",
        columns: ["answer", ...CLOSED_LOOP_COLUMNS],
        rows: closedLoopRows(found, FLOOR),
        notes: [
          `Medians of ${rounds} interleaved rounds. A 304 saves the way, not the reading: the tag covers what the caller may see.`,
          "The rpc is in the same process: each answer of config-fetch takes one too.",
        ],
      }];
    }),
};

const RPC = {
  headers: { ...KEY, "authorization": `Bearer ${KEY.apikey}`, "content-type": "application/json" },
  body: JSON.stringify({ service_name: "payments", environment: "production" }),
};

async function makeValues(sql: Sql): Promise<void> {
  await sql`
    select public.set_config(case when n % 2 = 0 then 'all' else 'payments' end, 'key_' || n, to_jsonb('value ' || n))
    from generate_series(1, 50) as n`;
}
