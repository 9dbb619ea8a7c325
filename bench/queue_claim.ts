import type { Measurement, Options } from "./measurement.ts";
import { type Cell, cpuTable, FOREIGN_NOTE, rateRatio, rateTable } from "./support/cells.ts";
import { withDurablePostgres } from "./support/durable_postgres.ts";
import type { Reading } from "./support/meter.ts";
import {
  BOSS,
  GRAPHILE,
  OURS,
  OURS_KEEPING,
  type QueueRival,
  REFERENCE,
  REFERENCE_ARCHIVING,
  startQueues,
} from "./support/queue_rivals.ts";
import { AGAINST, QUEUE_TARGETS } from "./support/queue_targets.ts";
import { interleave } from "./support/rounds.ts";
import type { Table } from "./support/table.ts";
import { targetTable } from "./support/targets.ts";

const BACKLOGS = [0, 100_000, 1_000_000];
/** Batch sizes, and how many messages a round drains where none wait behind: about half a second's. */
const BATCHES = { 1: 700, 10: 6_000, 100: 15_000 };
const WORKERS = [1, 4, 8];
const WORKERS_WITH_HISTORY = 4;
const SECONDS = 0.5;

const KEYS = ["ready", "batch", "workers"];
const RIVALS = [OURS, REFERENCE, GRAPHILE, BOSS];
const KEEPING = [OURS_KEEPING, REFERENCE_ARCHIVING];
const AGAINST_KEEPING = [
  { title: "ours of reference", of: (cell: Cell) => rateRatio(cell, OURS_KEEPING, REFERENCE_ARCHIVING) },
  { title: "ours of better peer", of: (cell: Cell) => rateRatio(cell, OURS_KEEPING, GRAPHILE, BOSS) },
];

/** Claiming and completing, whatever waits behind. */
export const queueClaim: Measurement = {
  about:
    "Messages claimed and completed, so many at once, by so many workers, while so many more are ready; two commits for each batch.",
  run: (options) =>
    withDurablePostgres(async (postgres) => {
      await using queues = await startQueues(postgres, [...RIVALS, ...KEEPING]);
      const cells: Cell[] = [];
      for (const ready of options.isQuick ? BACKLOGS.slice(0, 2) : BACKLOGS) {
        for (const name of RIVALS) {
          await queues.rivals[name]!.clear();
          await queues.rivals[name]!.fill({ count: ready });
        }
        cells.push(...await cellsOf(queues.rivals, ready, options));
      }
      return tables(cells, postgres.settings, options);
    }),
};

async function cellsOf(rivals: Record<string, QueueRival>, ready: number, { rounds }: Options): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const [size, toDrain] of Object.entries(BATCHES)) {
    const turns = (names: string[], workers: number) =>
      Object.fromEntries(names.map((name) => [name, () => work(rivals[name]!, { workers, size, ready, toDrain })]));
    await interleave(1, turns([...RIVALS, ...KEEPING], Math.max(...WORKERS)));
    for (const workers of WORKERS) {
      const names = workers === WORKERS_WITH_HISTORY ? [...RIVALS, ...KEEPING] : RIVALS;
      const readings = await interleave<Reading>(rounds, turns(names, workers));
      cells.push({ keys: [ready.toLocaleString("en"), size, String(workers)], readings });
    }
  }
  return cells;
}

/** One round of one rival; as many are ready afterwards as before. */
async function work(
  rival: QueueRival,
  { workers, size, ready, toDrain }: { workers: number; size: string; ready: number; toDrain: number },
): Promise<Reading> {
  const drains = ready === 0;
  if (drains) {
    await rival.clear();
    await rival.fill({ count: toDrain });
  }
  await rival.vacuum();
  const limit = drains ? { count: toDrain, seconds: 10 * SECONDS } : { seconds: SECONDS };
  const reading = await rival.work({ workers, batch: Number(size), ...limit });
  if (!drains) await rival.fill({ count: reading.total });
  return reading;
}

function tables(cells: readonly Cell[], settings: string, { rounds }: Options): Table[] {
  const all = { keys: KEYS, rivals: RIVALS, ratios: AGAINST };
  const keeping = { keys: KEYS, rivals: KEEPING, ratios: AGAINST_KEEPING };
  const kept = cells.filter(({ readings }) => OURS_KEEPING in readings);
  return [
    {
      ...rateTable("Messages per second, nothing kept of what is done (pg-boss keeps it)", all, cells),
      notes: [
        `Medians of ${rounds} interleaved rounds of ${SECONDS} s each; with none ready behind, of draining ${
          Object.values(BATCHES).join(", ")
        } messages (batch 1, 10, 100) to the last one.`,
        "Before each round the queue is as full as its row says, and vacuumed.",
        "ours: `keep_history` none. reference: reference_queue.sql, completing with delete. graphile-worker: `concurrentJobs` workers and a local queue of one batch. pg-boss: fetch() and complete() by each worker.",
        FOREIGN_NOTE,
        settings,
      ],
    },
    {
      ...rateTable("Messages per second with a history", keeping, kept),
      notes: [
        "ours: as it comes, `keep_history` all. reference: completing into its archive. The peers are those above.",
      ],
    },
    cpuTable("Postgres CPU per message, µs", all, cells),
    cpuTable("Postgres CPU per message with a history, µs", keeping, kept),
    targetTable(KEYS, cells, QUEUE_TARGETS),
  ];
}
