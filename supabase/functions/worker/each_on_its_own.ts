import { Problem } from "shared/problem.ts";
import type { Settled } from "shared/worker/source.ts";

/**
 * Settles items where SQL takes one in a call: at the same time, and each as if it were alone.
 *
 * @returns how many were settled; the others' leases had been lost
 * @throws what one failed with, after all have had their turn
 */
export async function eachOnItsOwn<Item>(
  items: readonly Settled<Item>[],
  settle: (item: Settled<Item>) => Promise<void>,
): Promise<number> {
  const results = await Promise.allSettled(items.map(settle));
  const failures = results.flatMap((result) => result.status === "rejected" ? [result.reason] : []);
  const lost = failures.filter((error) => error instanceof Problem && error.code === "lease_lost");
  const failure = failures.find((error) => !lost.includes(error));
  if (failure) throw failure;
  return items.length - lost.length;
}
