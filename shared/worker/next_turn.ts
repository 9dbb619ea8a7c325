/** Where one source stands, as far as it matters for whose turn it is. */
export interface LaneState {
  /** Whether it is being looked at now. */
  isLooking: boolean;
  /** Whether it could take more work. */
  hasRoom: boolean;
  /** Items that are being worked on. */
  inFlight: number;
  /** When the last look began; -Infinity before the first. */
  lookedAt: number;
  /** Whether the last look found nothing, or failed, and nothing was settled since. */
  isSpent: boolean;
  hasFailed: boolean;
  /** Until when a spent source is left alone. */
  restsUntil: number;
}

/** What to do next: look at the source of that index, wait until then for something to change, or end. */
export type Decision = { look: number } | { waitUntil: number } | "end";

/** What a decision depends on beside the sources. */
export interface TurnRules {
  now: number;
  /** Looks at the same moment: each holds one of the database's connections. */
  maxLooks: number;
  /** A source that was found empty before this moment is looked at once more before the end. */
  lastLookFrom: number;
}

/**
 * Decides whose turn it is: of those that may be looked at, the one whose last look is the longest ago, so that no
 * source, however much it holds, keeps another waiting for more than one turn of each.
 */
export function nextTurn(lanes: readonly LaneState[], { now, maxLooks, lastLookFrom }: TurnRules): Decision {
  const isFinished = (lane: LaneState) => isIdle(lane) && (lane.hasFailed || lane.lookedAt >= lastLookFrom);
  if (lanes.every(isFinished)) return "end";
  if (lanes.filter((lane) => lane.isLooking).length >= maxLooks) return { waitUntil: Infinity };
  const goesOn = lanes.some(isWorking);
  // One that is finished is looked at again only if the run goes on for another's work, not for another's last look.
  const open = lanes.filter((lane) => !lane.isLooking && lane.hasRoom && (goesOn || !isFinished(lane)));
  const ready = open.filter((lane) => !lane.isSpent || lane.restsUntil <= now);
  if (ready.length === 0) return { waitUntil: Math.min(...open.map((lane) => lane.restsUntil)) };
  const next = ready.reduce((first, lane) => lane.lookedAt < first.lookedAt ? lane : first);
  return { look: lanes.indexOf(next) };
}

function isWorking({ inFlight, isSpent }: LaneState): boolean {
  return inFlight > 0 || !isSpent;
}

function isIdle(lane: LaneState): boolean {
  return !lane.isLooking && !isWorking(lane);
}
