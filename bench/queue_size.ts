import type { Measurement } from "./measurement.ts";
import { withDurablePostgres } from "./support/durable_postgres.ts";
import { OURS, type QueueRival, REFERENCE, startQueues } from "./support/queue_rivals.ts";
import { figure, ratio, type Table } from "./support/table.ts";

const MILLION = 1_000_000;
const MARKS = [0, 1, 2, 5, 10];
const STEP = 50_000;
const CREW = { workers: 4, batch: 100 };
/** What the size may come to at the last mark, as a multiple of what it was after the first million. */
const MOST = 1.5;

/** Megabytes at each mark. */
interface Sizes {
  name: string;
  table: number[];
  indexes: number[];
}

/** Whether the tables stay small however many messages have passed through them. */
export const queueSize: Measurement = {
  about: `Size of what holds the messages after up to ${MARKS.at(-1)} million of them were processed, ${
    STEP.toLocaleString("en")
  } at a time.`,
  isOnRequest: true,
  run: ({ isQuick }) =>
    withDurablePostgres(async (postgres) => {
      await using queues = await startQueues(postgres, [OURS, REFERENCE]);
      const marks = isQuick ? MARKS.slice(0, 2) : MARKS;
      const found: Sizes[] = [];
      for (const [name, rival] of Object.entries(queues.rivals)) found.push({ name, ...await sizesOf(rival, marks) });
      return [sizeTable(found, marks, postgres.settings)];
    }, { max_wal_size: "16GB" }),
};

async function sizesOf(rival: QueueRival, marks: readonly number[]): Promise<Omit<Sizes, "name">> {
  const sizes: Omit<Sizes, "name"> = { table: [], indexes: [] };
  let processed = 0;
  for (const mark of marks) {
    for (; processed < mark * MILLION; processed += STEP) {
      await rival.fill({ count: STEP });
      await rival.work({ ...CREW, seconds: 600, count: STEP });
    }
    const { table, indexes } = await rival.size();
    sizes.table.push(table);
    sizes.indexes.push(indexes);
  }
  return sizes;
}

function sizeTable(found: readonly Sizes[], marks: readonly number[], settings: string): Table {
  const growth = ({ table, indexes }: Sizes) => (table.at(-1)! + indexes.at(-1)!) / (table[1]! + indexes[1]!);
  return {
    title: "Megabytes",
    columns: ["queue", "of", ...marks.map((mark) => `${mark} M`), "last of 1 M"],
    rows: found.flatMap((sizes) => [
      [sizes.name, "table", ...sizes.table.map(figure), ratio(sizes.table.at(-1)!, sizes.table[1]!)],
      ["", "indexes", ...sizes.indexes.map(figure), ratio(sizes.indexes.at(-1)!, sizes.indexes[1]!)],
    ]),
    notes: [
      `Target: ours at most ${MOST}x of what it was after the first million: ${
        growth(found[0]!) <= MOST ? "met" : "NOT met"
      } with ${ratio(growth(found[0]!), 1)}.`,
      "The history, which is dropped by month, is not in it. Autovacuum is on and as Postgres comes, apart from what the tables ask for.",
      settings,
    ],
  };
}
