import { rateRatio, type Ratio } from "./cells.ts";
import { BOSS, GRAPHILE, OURS, REFERENCE } from "./queue_rivals.ts";
import type { Target } from "./targets.ts";

const ofReference = (cell: Parameters<Ratio["of"]>[0]) => rateRatio(cell, OURS, REFERENCE);
const ofBetter = (cell: Parameters<Ratio["of"]>[0]) => rateRatio(cell, OURS, GRAPHILE, BOSS);

/** What our rate is compared with. */
export const AGAINST: readonly Ratio[] = [
  { title: "ours of reference", of: ofReference },
  { title: "ours of better peer", of: ofBetter },
];

/** For enqueueing as for claiming. */
export const QUEUE_TARGETS: readonly Target[] = [
  { title: "at least 0.9 of the reference everywhere", of: ofReference, least: 0.9 },
  { title: "ahead of graphile-worker and pg-boss in at least 80 %", of: ofBetter, least: 1, share: 0.8 },
  { title: "never under 0.75 of the better one", of: ofBetter, least: 0.75 },
];
