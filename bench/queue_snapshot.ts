import { connect } from "../scripts/stack/connection.ts";
import type { Measurement } from "./measurement.ts";
import { withDurablePostgres } from "./support/durable_postgres.ts";
import type { Reading } from "./support/meter.ts";
import { BOSS, GRAPHILE, OURS, type QueueRival, REFERENCE, startQueues } from "./support/queue_rivals.ts";
import { interleave } from "./support/rounds.ts";
import { median } from "./support/statistics.ts";
import { figure, ratio, type Table } from "./support/table.ts";

const ROUNDS = 6;
const COUNT = 10_000;
const SECONDS = 6;
const CREW = { workers: 4, batch: 10 };
const LEAST = 0.6;

/** Claiming while a transaction elsewhere keeps vacuum from removing what is dead. */
export const queueSnapshot: Measurement = {
  about: `${ROUNDS} times ${
    COUNT.toLocaleString("en")
  } messages drained by ${CREW.workers} workers, ${CREW.batch} at once: with nothing in the way, then while a transaction that began before holds its snapshot open.`,
  run: () =>
    withDurablePostgres(async (postgres) => {
      await using queues = await startQueues(postgres, [OURS, REFERENCE, GRAPHILE, BOSS]);
      const turns = Object.entries(queues.rivals).map(([name, rival]) => [name, () => drain(rival)]);
      await interleave(1, Object.fromEntries(turns));
      const free = await interleave<Reading>(ROUNDS, Object.fromEntries(turns));
      const held = await whileSnapshotIsHeld(
        postgres.url,
        () => interleave<Reading>(ROUNDS, Object.fromEntries(turns)),
      );
      return tables(free, held, postgres.settings);
    }),
};

/** Measures at most some seconds of it; what is left then is done in big batches, so that all leave as much behind. */
async function drain(rival: QueueRival): Promise<Reading> {
  await rival.fill({ count: COUNT });
  await rival.vacuum();
  const reading = await rival.work({ ...CREW, seconds: SECONDS, count: COUNT });
  const left = COUNT - reading.total;
  if (left > 0) await rival.work({ workers: 1, batch: 1_000, seconds: 600, count: left });
  return reading;
}

async function whileSnapshotIsHeld<T>(url: string, work: () => Promise<T>): Promise<T> {
  const sql = connect(url);
  try {
    return await sql.begin("isolation level repeatable read", async (transaction) => {
      await transaction`select count(*) from pg_class`;
      return await work();
    }) as T;
  } finally {
    await sql.end();
  }
}

function tables(free: Record<string, Reading[]>, held: Record<string, Reading[]>, settings: string): Table[] {
  const rates = (readings: Reading[]) => readings.map(({ count, seconds }) => count / seconds);
  const rows = Object.keys(free).map((name) => {
    const [before, after] = [rates(free[name]!), rates(held[name]!)];
    const last = after.at(-1)! / median(before);
    const cells = [figure(median(before)), ...after.map(figure), ratio(median(after), median(before)), ratio(last, 1)];
    return { name, cells, last };
  });
  const ours = rows.find(({ name }) => name === OURS)!;
  return [{
    title: "Messages per second, round by round",
    columns: [
      "queue",
      "free, median",
      ...held[OURS]!.map((_, round) => `held ${round + 1}`),
      "median of free",
      "last of free",
    ],
    rows: rows.map(({ name, cells }) => [name, ...cells]),
    notes: [
      "VACUUM runs before each round, for each. The snapshot is a `repeatable read` transaction in the same database, as a long report or pg_dump has it.",
      settings,
    ],
  }, {
    title: "Targets",
    columns: ["target", "met", "last of free"],
    rows: [[
      `at least ${LEAST} of the free rate after 60,000 messages`,
      ours.last >= LEAST ? "yes" : "NO",
      ratio(ours.last, 1),
    ]],
  }];
}
