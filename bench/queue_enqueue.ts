import type { Measurement } from "./measurement.ts";
import { type Cell, cpuTable, FOREIGN_NOTE, rateTable } from "./support/cells.ts";
import { withDurablePostgres } from "./support/durable_postgres.ts";
import type { Reading } from "./support/meter.ts";
import { BOSS, GRAPHILE, OURS, type QueueRival, REFERENCE, startQueues } from "./support/queue_rivals.ts";
import type { Crew } from "./support/queue_server.ts";
import { AGAINST, QUEUE_TARGETS } from "./support/queue_targets.ts";
import { interleave } from "./support/rounds.ts";
import { targetTable } from "./support/targets.ts";

const KEYS = ["batch", "clients"];
const COLUMNS = { keys: KEYS, rivals: [OURS, REFERENCE, GRAPHILE, BOSS], ratios: AGAINST };
const CREWS: readonly Crew[] = [1, 100].flatMap((batch) => [1, 4, 8].map((workers) => ({ batch, workers })));
const SECONDS = 0.5;

/** Storing messages that are due at once. */
export const queueEnqueue: Measurement = {
  about: "Messages of about 190 bytes of JSON enqueued, one or a hundred in a call and commit.",
  run: ({ rounds }) =>
    withDurablePostgres(async (postgres) => {
      await using queues = await startQueues(postgres, COLUMNS.rivals);
      const cells: Cell[] = [];
      for (const crew of CREWS) {
        const turns = Object.entries(queues.rivals).map(([name, rival]) => [name, () => enqueue(rival, crew)]);
        await interleave(1, Object.fromEntries(turns));
        const readings = await interleave<Reading>(rounds, Object.fromEntries(turns));
        cells.push({ keys: [String(crew.batch), String(crew.workers)], readings });
      }
      return [
        {
          ...rateTable("Messages per second", COLUMNS, cells),
          notes: [
            `Medians of ${rounds} interleaved rounds of ${SECONDS} s into an empty queue. ${GRAPHILE}: addJob(), addJobs(); ${BOSS}: send(), insert(); ours and the reference: SQL functions as prepared statements of postgres.js.`,
            FOREIGN_NOTE,
            postgres.settings,
          ],
        },
        cpuTable("Postgres CPU per message, µs", COLUMNS, cells),
        targetTable(KEYS, cells, QUEUE_TARGETS),
      ];
    }),
};

async function enqueue(rival: QueueRival, crew: Crew): Promise<Reading> {
  await rival.clear();
  return await rival.enqueue({ ...crew, seconds: SECONDS });
}
