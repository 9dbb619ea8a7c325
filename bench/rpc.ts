import { LOCAL_KEYS } from "../scripts/stack/development.ts";
import { withConnection } from "../scripts/stack/database.ts";
import { withMigratedPostgres } from "../scripts/stack/throwaway.ts";
import type { Measurement } from "./measurement.ts";
import type { HttpAnswers } from "./processes/http_load.ts";
import { cpuOf } from "./support/machine.ts";
import { run, type Server, startServer } from "./support/processes.ts";
import { interleave } from "./support/rounds.ts";
import { median, percentile } from "./support/statistics.ts";
import { figure, ratio, type Table } from "./support/table.ts";

const DATABASE = "bench";
const KINDS = ["ours", "lite", "direct"];
const NAMES: Record<string, string> = { ours: "ours", lite: "@supabase/lite", direct: "postgres.js, no roles" };

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

type Round = HttpAnswers & { cpu: number };

/** The local `/rest/v1/rpc`. */
export const rpc: Measurement = {
  about: "A function that adds two numbers, called over HTTP with the secret key, from a client in another process.",
  run: () =>
    withMigratedPostgres(DATABASE, async (target, port) => {
      await withConnection(target.url, (sql) => sql.unsafe(SUM).simple());
      await using servers = new AsyncDisposableStack();
      const rivals: Record<string, (round: number) => Promise<Round>> = {};
      for (const kind of KINDS) {
        const server = servers.use(await startServer("bench/peers/rpc_server.ts", kind, String(port), DATABASE));
        rivals[kind] = () => round(server, 6);
        await round(server, 3);
      }
      return [toTable(await interleave(5, rivals))];
    }),
};

async function round(server: Server, seconds: number): Promise<Round> {
  const before = cpuOf(server.pid);
  const url = `${server.url}/rest/v1/rpc/bench_sum`;
  const answers = await run<HttpAnswers>("bench/processes/http_load.ts", { url, seconds, connections: 10, post: POST });
  if (answers.failed) throw new Error(`${answers.failed} calls failed`);
  return { ...answers, cpu: (cpuOf(server.pid) - before) / answers.latencies.length };
}

function toTable(found: Record<string, Round[]>): Table {
  const perSecond = (rounds: Round[]) => median(rounds.map(({ latencies, seconds }) => latencies.length / seconds));
  const direct = perSecond(found.direct!);
  const rows = Object.entries(found).map(([kind, rounds]) => [
    NAMES[kind]!,
    figure(perSecond(rounds)),
    ratio(perSecond(rounds), direct),
    ...[0.5, 0.99].map((share) => figure(median(rounds.map(({ latencies }) => percentile(latencies, share))))),
    figure(median(rounds.map(({ cpu }) => cpu))),
  ]);
  return {
    title: "10 connections, each calls when it is answered",
    columns: ["server", "calls/s", "of direct", "p50, ms", "p99, ms", "server CPU, ms"],
    rows,
    notes: [
      "Medians of 5 interleaved rounds of 6 s. The last row runs one prepared statement, with no transaction, role, claims or headers.",
    ],
  };
}
