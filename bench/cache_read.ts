import { connect } from "../scripts/stack/connection.ts";
import { withMigratedPostgres } from "../scripts/stack/throwaway.ts";
import type { Measurement } from "./measurement.ts";
import type { SqlAnswers } from "./processes/sql_load.ts";
import { run } from "./support/processes.ts";
import { withRedis } from "./support/redis.ts";
import { interleave } from "./support/rounds.ts";
import { median, percentile } from "./support/statistics.ts";
import { figure, ratio } from "./support/table.ts";

const KEYS = 10_000;
const CONNECTIONS = 4;
const OURS = "get_cache()";
const PLAIN = "a plain function of a primary key";
/** What get_cache() would be if it were no cache: the same table, the same kind of function, nothing but the row. */
const PLAIN_FUNCTION = `
  create function public.plain_read(key text) returns jsonb language plpgsql
  set search_path = '' set statement_timeout = '2s' as $$
  begin
    return (select entry.value from public.cache_entries as entry where entry.key = plain_read.key);
  end;
  $$`;

/** What reading the cache costs beside the least that a read can cost, and beside Redis. */
export const cacheRead: Measurement = {
  about: `${OURS} of ${KEYS.toLocaleString("en")} entries over ${CONNECTIONS} connections from another process.`,
  run: ({ isQuick, rounds }) =>
    withMigratedPostgres("bench", async ({ url }) => {
      const sql = connect(url);
      await sql.unsafe(PLAIN_FUNCTION);
      await sql`
        select count(public.set_cache('bench:' || n, jsonb_build_object('amount', n, 'currency', 'RWF'), 86400))
        from generate_series(0, ${KEYS - 1}::integer) as n`;
      await sql`vacuum (analyze) public.cache_entries`;
      await sql.end();
      const load = { url, seconds: isQuick ? 2 : 5, connections: CONNECTIONS, keys: KEYS };
      const read = (text: string) => () => run<SqlAnswers>("bench/processes/sql_load.ts", { ...load, text });
      const rivals = {
        [PLAIN]: read("select public.plain_read($1)"),
        [OURS]: read("select public.get_cache($1)"),
      };
      return await withRedis(load, async (redis) => {
        const found = await interleave<SqlAnswers>(rounds, { ...rivals, ...redis });
        const rate = (answers: SqlAnswers[]) => median(answers.map((each) => each.latencies.length / each.seconds));
        const rows = Object.entries(found).map(([name, answers]) => [
          name,
          figure(rate(answers)),
          ratio(rate(answers), rate(found[PLAIN]!)),
          ...[0.5, 0.99].map((share) => figure(median(answers.map((each) => percentile(each.latencies, share))))),
        ]);
        return [{
          title: "Reads",
          columns: ["", "per second", "of the plain read", "p50, ms", "p99, ms"],
          rows,
          notes: [
            `Target: ${OURS} at least 0.8 of the plain read. Redis is shown where redis-server is installed; no target.`,
          ],
        }];
      });
    }),
};
