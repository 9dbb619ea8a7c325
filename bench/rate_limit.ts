import { withMigratedPostgres } from "../scripts/stack/throwaway.ts";
import type { Measurement } from "./measurement.ts";
import type { SqlAnswers, SqlLoad } from "./processes/sql_load.ts";
import { run } from "./support/processes.ts";
import { interleave } from "./support/rounds.ts";
import { median, percentile } from "./support/statistics.ts";
import { figure, ratio } from "./support/table.ts";

const GENEROUS = "select * from public.charge_rate_limit($1, 100000, 1)";
const STRICT = "select * from public.charge_rate_limit('strict:' || $1, 10, 60)";
const NOTHING = "select 1";

const LOADS: Record<string, Pick<SqlLoad, "text" | "keys">> = {
  [NOTHING]: { text: NOTHING },
  "one hot key, allowed": { text: GENEROUS, keys: 1 },
  "one hot key, refused": { text: STRICT, keys: 1 },
  "1,000 keys, allowed": { text: GENEROUS, keys: 1_000 },
};

/** What a charge costs, and how far one key scales. */
export const rateLimit: Measurement = {
  about: "charge_rate_limit() over 10 connections from another process, against a statement that does nothing.",
  run: () =>
    withMigratedPostgres("bench", async ({ url }) => {
      const rivals = Object.entries(LOADS).map(([name, load]) => [name, () => {
        return run<SqlAnswers>("bench/processes/sql_load.ts", { url, seconds: 5, connections: 10, ...load });
      }]);
      const found = await interleave<SqlAnswers>(5, Object.fromEntries(rivals));
      const perSecond = (rounds: SqlAnswers[]) => median(rounds.map((round) => round.latencies.length / round.seconds));
      const rows = Object.entries(found).map(([name, rounds]) => [
        name,
        figure(perSecond(rounds)),
        ratio(perSecond(rounds), perSecond(found[NOTHING]!)),
        ...[0.5, 0.99].map((share) => figure(median(rounds.map(({ latencies }) => percentile(latencies, share))))),
      ]);
      return [{
        title: "Charges",
        columns: ["statement", "per second", "of select 1", "p50, ms", "p99, ms"],
        rows,
        notes: ["Medians of 5 interleaved rounds of 5 s, prepared statements, a transaction each."],
      }];
    }),
};
