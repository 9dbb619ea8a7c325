import { withConnection } from "../scripts/stack/database.ts";
import { withMigratedPostgres } from "../scripts/stack/throwaway.ts";
import type { Measurement } from "./measurement.ts";
import type { SqlAnswers } from "./processes/sql_load.ts";
import { makeOurFlags, PERSON } from "./support/bench_flags.ts";
import { cpuOfFamily, parentOf } from "./support/machine.ts";
import { run } from "./support/processes.ts";
import { interleave } from "./support/rounds.ts";
import { median, percentile } from "./support/statistics.ts";
import { figure } from "./support/table.ts";

const CONTEXT = JSON.stringify({ targetingKey: PERSON.userId, ...PERSON });
const STATEMENTS: Record<string, string> = {
  "evaluate_flags(), 20 flags": `select public.evaluate_flags('${CONTEXT}', 'production')`,
  "is_feature_enabled()": `select public.is_feature_enabled('bench-00', '${CONTEXT}', 'production')`,
  "flag_snapshot(), nothing new":
    "select public.flag_snapshot('production', (select revision from public.flag_environments where environment = 'production'))",
  "select 1": "select 1",
};

/** What came back, and the milliseconds of Postgres' CPU that each statement took. */
interface Round extends SqlAnswers {
  cpu: number;
}

/** Evaluation by SQL's own functions. */
export const flagsSql: Measurement = {
  about: "evaluate_flags() and others over one connection from another process.",
  run: ({ rounds, isQuick }) =>
    withMigratedPostgres("bench", async ({ url }) => {
      await withConnection(url, makeOurFlags);
      const seconds = isQuick ? 2 : 5;
      const postmaster = await withConnection(url, async (sql) => {
        const [row] = await sql`select pg_backend_pid() as pid`;
        return parentOf(row!.pid);
      });
      const rivals = Object.entries(STATEMENTS).map(([name, text]) => [name, async (): Promise<Round> => {
        const before = cpuOfFamily(postmaster);
        const answers = await run<SqlAnswers>("bench/processes/sql_load.ts", { url, seconds, connections: 1, text });
        return { ...answers, cpu: (cpuOfFamily(postmaster) - before) / answers.latencies.length };
      }]);
      const found = await interleave<Round>(rounds, Object.fromEntries(rivals));
      return [{
        title: "One connection",
        columns: ["statement", "per second", "p50, ms", "p99, ms", "Postgres CPU, ms"],
        rows: Object.entries(found).map(([name, answers]) => [
          name,
          figure(median(answers.map((round) => round.latencies.length / round.seconds))),
          ...[0.5, 0.99].map((share) => figure(median(answers.map(({ latencies }) => percentile(latencies, share))))),
          figure(median(answers.map(({ cpu }) => cpu))),
        ]),
        notes: [
          `Medians of ${rounds} interleaved rounds of ${seconds} s, prepared statements, the way to the client and back included.`,
          "Target: 20 flags under 1 ms.",
        ],
      }];
    }),
};
