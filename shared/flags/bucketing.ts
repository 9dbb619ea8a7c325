import { attributeOf, type EvaluationContext } from "./attribute.ts";
import { murmur3 } from "./murmur3.ts";
import type { Bucketing, Rollout, Split } from "./snapshot.ts";

/** Unleash's seed for variants: who is in a rollout says nothing about the variant. */
const SPLIT_SEED = 86028157;

/** By what somebody is told apart: the first field that is there and not empty. */
export function bucketIdOf(
  { bucket_by }: Bucketing,
  context: EvaluationContext,
  random: () => number,
): string | undefined {
  for (const name of bucket_by) {
    const id = name === "$random" ? String(Math.floor(random() * 1e9)) : attributeOf(context, name);
    if (id) return id;
  }
  return undefined;
}

/** Whether somebody belongs to the share that is let in at that time. */
export function isInRollout(rollout: Rollout, id: string, now: number): boolean {
  return murmur3(`${rollout.seed}:${id}`) % rollout.normalizer + 1 <= thresholdAt(rollout.ramp, now);
}

/** The variant that somebody gets; nothing when no weight is above zero. */
export function chooseVariant(split: Split, id: string): string | undefined {
  let total = 0;
  for (const { weight } of split.weights) total += weight;
  if (total === 0) return undefined;
  let left = murmur3(`${split.seed}:${id}`, SPLIT_SEED) % total + 1;
  for (const { weight, variant } of split.weights) if ((left -= weight) <= 0) return variant;
}

/** The threshold moves evenly from one point to the next; before the first and after the last it stays. */
function thresholdAt(ramp: Rollout["ramp"], now: number): number {
  if (ramp.length === 1) return ramp[0]!.threshold;
  const next = ramp.findIndex(({ at }) => at > now);
  const [from, to] = [ramp[next - 1], ramp[next]];
  if (!to) return ramp.at(-1)?.threshold ?? 0;
  if (!from) return to.threshold;
  // The product may be beyond what a double holds exactly.
  const moved = BigInt(to.threshold - from.threshold) * BigInt(now - from.at) / BigInt(to.at - from.at);
  return from.threshold + Number(moved);
}
