import { drain, type DrainOptions, type RunReport, type Source } from "shared/worker/drain.ts";
import type { RepeatedSource, Turn } from "shared/worker/source.ts";
import { VirtualClock } from "./virtual_clock.ts";

export const MINUTE = { wallMs: 60_000, cpuMs: 60_000 };

/** Runs until the end on a clock of its own, unless told otherwise. */
export function drained(
  sources: readonly Source[],
  { clock = new VirtualClock(), ...options }: Partial<DrainOptions> & { clock?: VirtualClock } = {},
): Promise<RunReport> {
  const work = drain(sources, {
    clock,
    budget: MINUTE,
    signal: new AbortController().signal,
    lingers: false,
    ...options,
  });
  return clock.during(work);
}

/** A source that does its own work: `turn` is told how many turns it had before. */
export function repeated(name: string, turn: (before: number) => Turn | Promise<Turn>): RepeatedSource {
  let before = 0;
  return { name, turn: async () => await turn(before++) };
}

/** A source that has work for so many turns, one piece in each. */
export function turns(count: number, name = "turns"): RepeatedSource {
  return repeated(name, (before) => ({ done: before < count ? 1 : 0, failed: 0, more: before < count }));
}
