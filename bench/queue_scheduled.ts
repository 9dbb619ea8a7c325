import type { Measurement } from "./measurement.ts";
import { type Cell, cpuTable, FOREIGN_NOTE, rateRatio, rateTable } from "./support/cells.ts";
import { withDurablePostgres } from "./support/durable_postgres.ts";
import type { Reading } from "./support/meter.ts";
import { BOSS, GRAPHILE, OURS, type QueueRival, REFERENCE, startQueues } from "./support/queue_rivals.ts";
import { interleave } from "./support/rounds.ts";
import { targetTable } from "./support/targets.ts";

const KEYS = ["scheduled for later"];
const SCHEDULED = [0, 100_000, 1_000_000];
const ofReference = (cell: Cell) => rateRatio(cell, OURS, REFERENCE);
const COLUMNS = {
  keys: KEYS,
  rivals: [OURS, REFERENCE, GRAPHILE, BOSS],
  ratios: [{ title: "ours of reference", of: ofReference }],
};
const CREW = { workers: 4, batch: 10 };
const READY = 8_000;
const SECONDS = 3;

/** Claiming what is due while much more is not due yet. */
export const queueScheduled: Measurement = {
  about: `${
    READY.toLocaleString("en")
  } messages that are due drained by ${CREW.workers} workers, ${CREW.batch} at once, behind others that are due in an hour.`,
  run: ({ rounds }) =>
    withDurablePostgres(async (postgres) => {
      await using queues = await startQueues(postgres, COLUMNS.rivals);
      const cells: Cell[] = [];
      for (const scheduled of SCHEDULED) {
        for (const rival of Object.values(queues.rivals)) {
          await rival.clear();
          await rival.fill({ count: scheduled, dueInSeconds: 3_600 });
          await rival.fill({ count: READY });
        }
        const turns = Object.entries(queues.rivals).map(([name, rival]) => [name, () => drain(rival)]);
        await interleave(1, Object.fromEntries(turns));
        const readings = await interleave<Reading>(rounds, Object.fromEntries(turns));
        cells.push({ keys: [scheduled.toLocaleString("en")], readings });
      }
      return [
        {
          ...rateTable("Messages claimed and completed per second", COLUMNS, cells),
          notes: [
            `Medians of ${rounds} interleaved rounds, each until all that is due is done or ${SECONDS} s are over. The first row is the same without anything scheduled.`,
            FOREIGN_NOTE,
            postgres.settings,
          ],
        },
        cpuTable("Postgres CPU per message, µs", COLUMNS, cells),
        targetTable(KEYS, cells.slice(1), [{ title: "at least 10x the reference", of: ofReference, least: 10 }]),
      ];
    }),
};

/** One round; what is due afterwards is what was due before. */
async function drain(rival: QueueRival): Promise<Reading> {
  await rival.vacuum();
  const reading = await rival.work({ ...CREW, seconds: SECONDS, count: READY });
  await rival.fill({ count: reading.total });
  return reading;
}
