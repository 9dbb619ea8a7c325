/**
 * Runs rivals in turn, so that what else the machine does falls on all of them, and another one begins each round.
 *
 * @returns what each gave, round by round
 */
export async function interleave<T>(
  rounds: number,
  rivals: Record<string, (round: number) => T | Promise<T>>,
): Promise<Record<string, T[]>> {
  const results: Record<string, T[]> = Object.fromEntries(Object.keys(rivals).map((name) => [name, []]));
  const entries = Object.entries(rivals);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < entries.length; turn++) {
      const [name, run] = entries[(round + turn) % entries.length]!;
      results[name]!.push(await run(round));
    }
  }
  return results;
}
