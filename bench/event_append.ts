import type { Measurement, Options } from "./measurement.ts";
import { type Cell, cpuTable, FOREIGN_NOTE, rateRatio, rateTable } from "./support/cells.ts";
import { withDurablePostgres } from "./support/durable_postgres.ts";
import { EMMETT, type EventRival, MESSAGE_DB, OURS, startEventStores } from "./support/event_rivals.ts";
import type { AppendReading } from "./support/event_server.ts";
import { interleave } from "./support/rounds.ts";
import type { Table } from "./support/table.ts";
import { type Target, targetTable } from "./support/targets.ts";

const KEYS = ["streams", "events", "writers"];
const SECONDS = 0.6;
const MANY = "5,000 of one kind";
const KINDS = "5,000 of 100 kinds";
const HOT = "one";

/** Names of streams: `<kind>-<id>`. */
const STREAMS: Record<string, string[]> = {
  [MANY]: Array.from({ length: 5_000 }, (_, number) => `fare-${number}`),
  [KINDS]: Array.from({ length: 5_000 }, (_, number) => `kind${number % 100}-${number}`),
  [HOT]: ["fare-hot"],
};
const PRELOADED = 20;

const VARIED = [
  ...[MANY, HOT].flatMap((streams) =>
    [1, 10].flatMap((batch) => [1, 4, 8].map((clients) => ({ streams, batch, clients })))
  ),
  { streams: KINDS, batch: 1, clients: 8 },
  { streams: KINDS, batch: 10, clients: 8 },
];

const ofBetter = (cell: Cell) => rateRatio(cell, OURS, MESSAGE_DB, EMMETT);
const COLUMNS = {
  keys: KEYS,
  rivals: [OURS, MESSAGE_DB, EMMETT],
  ratios: [{ title: "ours of better peer", of: ofBetter }],
};
const TARGETS: readonly Target[] = [
  {
    title: "many streams, 8 writers: at least twice both",
    of: ofBetter,
    least: 2,
    isAbout: ({ keys }) => keys[0] !== HOT && keys[2] === "8",
  },
  { title: "one hot stream: not slower than either", of: ofBetter, least: 1, isAbout: ({ keys }) => keys[0] === HOT },
];

/** Appending events at whatever version the stream is. */
export const eventAppend: Measurement = {
  about:
    "Events of about 190 bytes of JSON appended, one or ten in a commit, to a random one of many streams or all to one; no version is asked for.",
  run: (options) =>
    withDurablePostgres(async (postgres) => {
      await using stores = await startEventStores(postgres);
      for (const rival of Object.values(stores.rivals)) {
        await rival.fill({ streams: STREAMS[MANY]!, events: PRELOADED });
      }
      const cells: Cell[] = [];
      for (const { streams, batch, clients } of VARIED) {
        const turns = Object.entries(stores.rivals).map((
          [name, rival],
        ) => [name, () => append(rival, STREAMS[streams]!, batch, clients)]);
        await interleave(1, Object.fromEntries(turns));
        const readings = await interleave<AppendReading>(options.rounds, Object.fromEntries(turns));
        cells.push({ keys: [streams, String(batch), String(clients)], readings });
      }
      return tables(cells, postgres.settings, options);
    }),
};

async function append(rival: EventRival, streams: string[], batch: number, clients: number): Promise<AppendReading> {
  await rival.vacuum();
  return await rival.append({ streams, batch, clients, seconds: SECONDS });
}

function tables(cells: readonly Cell[], settings: string, { rounds }: Options): Table[] {
  const refusals = refusalsOf(cells);
  return [
    {
      ...rateTable("Events appended per second", COLUMNS, cells),
      notes: [
        `Medians of ${rounds} interleaved rounds of ${SECONDS} s; 100,000 events are there before. Ours keeps 24 past monthly partitions beside the current ones.`,
        "message-db locks a category from the append to the commit, so streams of one kind and of a hundred are both measured. It has no call for ten events: one statement calls write_message() ten times.",
        FOREIGN_NOTE,
        settings,
      ],
    },
    cpuTable("Postgres CPU per event, µs", COLUMNS, cells),
    ...refusals,
    targetTable(KEYS, cells, TARGETS),
  ];
}

/** Where a store refused to append although it was not asked for a version. */
function refusalsOf(cells: readonly Cell[]): Table[] {
  const rivals = Object.keys(cells[0]!.readings);
  const readings = (cell: Cell, rival: string) => cell.readings[rival] as AppendReading[];
  const refused = (cell: Cell, rival: string) => readings(cell, rival).reduce((sum, { refused }) => sum + refused, 0);
  const reasons = rivals.map((rival) => {
    const reason = cells.flatMap((cell) => readings(cell, rival)).find(({ reason }) => reason)?.reason;
    return reason ? `${rival}: ${reason}` : `${rival}: none`;
  });
  return [{
    title: "Appends refused, though any version would do (target: none of ours)",
    columns: [...KEYS, ...rivals],
    rows: cells.map((cell) => [...cell.keys, ...rivals.map((rival) => String(refused(cell, rival)))]),
    notes: reasons,
  }];
}
