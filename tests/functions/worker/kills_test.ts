import { assert, assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { fromFileUrl } from "@std/path";
import { addPieces, effects, leasedPieces, pieces } from "./pieces.ts";
import { workerTest } from "./worker.ts";
import { until } from "../../support/until.ts";

const KILLS = 100;
const PROCESSES = 3;

/** The worker's process as one file, which starts in a fraction of the time. */
async function bundledProcess(): Promise<string> {
  const output = await Deno.makeTempFile({ suffix: ".js" });
  const source = fromFileUrl(new URL("./worker_process.ts", import.meta.url));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", `--output=${output}`, source],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return output;
}

/** Starts a worker and kills it at some moment after it has begun to work. */
async function startAndKill(script: string, settings: Record<string, string>): Promise<void> {
  await using child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-config", script],
    env: settings,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  await child.stdout.getReader().read();
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
  child.kill("SIGKILL");
  await child.status;
}

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
  const script = await bundledProcess();
  let kills = 0;
  async function killAgainAndAgain(): Promise<void> {
    while (kills++ < KILLS) await startAndKill(script, settings);
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
  await Deno.remove(script);
});
