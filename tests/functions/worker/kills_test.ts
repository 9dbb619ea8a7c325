import { assert, assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { addPieces, effects, leasedPieces, pieces } from "./pieces.ts";
import { workerTest } from "./worker.ts";
import { until } from "../../support/until.ts";
import { bundled, startAndKill } from "../../support/killed_process.ts";

const KILLS = 100;
const PROCESSES = 3;

/** Keeps work coming until it is told to end; says how many pieces of each kind that were. */
async function feed(sql: Sql, isOver: () => boolean): Promise<number> {
  let count = 0;
  while (!isOver()) {
    const [waiting] = await sql`select
      (select count(*)::int from public.pieces) as own, (select count(*)::int from public.leased_pieces) as leased`;
    if (waiting!.own < 50 || waiting!.leased < 50) {
      count += 50;
      await Promise.all([addPieces(sql, "pieces", 50, count), addPieces(sql, "leased_pieces", 50, count)]);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return count;
}

workerTest("a worker that is killed a hundred times loses nothing and does nothing twice", async (worker) => {
  const { sql, run, settings } = worker;
  // A killed run holds its slot until the lease ends; here many are killed within one.
  await sql`insert into private.worker_runs (slot) select generate_series(5, 500)`;
  await using script = await bundled(new URL("./worker_process.ts", import.meta.url));
  let kills = 0;
  async function killAgainAndAgain(): Promise<void> {
    while (kills++ < KILLS) await startAndKill(script.path, settings, 100);
  }

  const [count] = await Promise.all([
    feed(sql, () => kills >= KILLS),
    ...Array.from({ length: PROCESSES }, killAgainAndAgain),
  ]);
  const left = () => sql`select name from public.pieces union all select name from public.leased_pieces`;
  await until(async () => {
    await run((call) => [pieces(call, 100), leasedPieces(call, () => Promise.resolve({ kind: "done" }))]);
    return (await left()).length === 0;
  }, "no piece is left");

  const all = await effects(sql);
  assertEquals([all.length, new Set(all).size], [2 * count, 2 * count]);
  const [felt] = await sql`select count(*)::int as count from public.effects where attempt_count > 1`;
  assert(felt!.count > KILLS / 2, "the kills were felt");
});
