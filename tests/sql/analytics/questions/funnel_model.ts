import { dayOf, distinct, type Happening } from "./happenings.ts";

/** A funnel that is asked for. */
export interface Funnel {
  steps: string[];
  seconds: number;
  breakdown?: string | null;
  by?: "first_step" | "every_step";
}

/** Value, step, people and median seconds of each line, by trying every chain of events of every person. */
export function funnelModel(happenings: Happening[], funnel: Funnel, from: number, to: number) {
  const used = happenings.filter((each) => !each.isBot);
  const isStart = (each: Happening) => each.name === funnel.steps[0] && dayOf(each.at) >= from && dayOf(each.at) <= to;
  const groups = funnel.breakdown ? distinct(used.filter(isStart).map((each) => valueOf(each, funnel))) : [null];
  const lines = groups.map((group) => {
    const durations: number[][] = funnel.steps.map(() => []);
    for (const actor of distinct(used.map((each) => each.actor))) {
      const own = used.filter((each) =>
        each.actor === actor && (funnel.by !== "every_step" || valueOf(each, funnel) === group)
      );
      const starts = own.filter((each) => isStart(each) && valueOf(each, funnel) === group);
      arrivals(own, starts, funnel).forEach((duration, step) => durations[step]!.push(duration));
    }
    return { group, durations };
  });
  lines.sort((one, other) => other.durations[0]!.length - one.durations[0]!.length || order(one.group, other.group));
  return lines.flatMap(({ group, durations }) =>
    durations.map((each, step) => [group, step + 1, each.length, medianSeconds(each)])
  );
}

/** For each step that is reached: the milliseconds that its first arrival took from the latest start that leads there. */
function arrivals(own: Happening[], starts: Happening[], { steps, seconds }: Funnel): number[] {
  // Chains by their last event; all of them, however they came there.
  let chains = starts.map((start) => ({ events: [start] }));
  const found: number[] = [];
  for (let step = 0; step < steps.length && chains.length > 0; step++) {
    if (step > 0) {
      const grown = chains.flatMap(({ events }) =>
        own.filter((next) => {
          const last = events.at(-1)!;
          const isRepeated = steps.slice(0, step).includes(next.name);
          return next.name === steps[step] && (isRepeated ? next.at > last.at : next.at >= last.at) &&
            next.at - events[0]!.at <= seconds * 1_000 && !events.includes(next);
        }).map((next) => ({ events: [...events, next] }))
      );
      // Chains from one start to one event go on alike.
      chains = [
        ...new Map(
          grown.map((chain) => [`${own.indexOf(chain.events[0]!)} ${own.indexOf(chain.events.at(-1)!)}`, chain]),
        ).values(),
      ];
    }
    if (chains.length === 0) break;
    const first = Math.min(...chains.map(({ events }) => events.at(-1)!.at));
    const start = Math.max(
      ...chains.filter(({ events }) => events.at(-1)!.at === first).map(({ events }) => events[0]!.at),
    );
    found.push(first - start);
  }
  return found;
}

function valueOf(each: Happening, { breakdown }: Funnel): string | null {
  const value = breakdown ? each.properties?.[breakdown] ?? null : null;
  return value === null ? null : String(value);
}

function order(one: string | null, other: string | null): number {
  if (one === null || other === null) return one === other ? 0 : one === null ? 1 : -1;
  return one < other ? -1 : 1;
}

/** Of whole milliseconds, whose halves a double holds exactly: half a millisecond is rounded up. */
export function medianSeconds(milliseconds: number[]): number | null {
  if (milliseconds.length === 0) return null;
  const sorted = milliseconds.toSorted((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  return Math.round((sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2) / 1_000;
}
