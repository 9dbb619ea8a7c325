import type { Measurement } from "./measurement.ts";
import { dataFolder, startStack } from "./support/stack.ts";
import { median } from "./support/statistics.ts";
import { figure } from "./support/table.ts";

const ROUNDS = 5;

/** How long one waits after `deno task start`. */
export const stackStart: Measurement = {
  about: "From the start of `scripts/start.ts` to the answer of the first signed delivery, packages present.",
  async run() {
    const cold: number[] = [];
    const warm: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await using data = dataFolder();
      cold.push(await startOnce(data.path));
      warm.push(await startOnce(data.path));
    }
    const row = (name: string, times: number[], target: string) => [
      name,
      ...[Math.min(...times), median(times), Math.max(...times)].map((ms) => figure(ms / 1_000)),
      target,
    ];
    return [{
      title: "Start",
      columns: ["start", "best, s", "median, s", "worst, s", "target, s"],
      rows: [row("cold: no data folder", cold, "10"), row("warm", warm, "3")],
      notes: [`${ROUNDS} rounds, cold and warm in turn. Cold makes the cluster, applies every migration and the seed.`],
    }];
  },
};

async function startOnce(data: string): Promise<number> {
  await using stack = await startStack(data);
  return stack.startMs;
}
