import type { Measurement } from "./measurement.ts";
import { type Cell, cpuTable, FOREIGN_NOTE, rateRatio, rateTable } from "./support/cells.ts";
import { withDurablePostgres } from "./support/durable_postgres.ts";
import { EMMETT, MESSAGE_DB, OURS, startEventStores } from "./support/event_rivals.ts";
import type { Reading } from "./support/meter.ts";
import { interleave } from "./support/rounds.ts";
import { targetTable } from "./support/targets.ts";

const KEYS = ["readers"];
const ofBetter = (cell: Cell) => rateRatio(cell, OURS, MESSAGE_DB, EMMETT);
const COLUMNS = {
  keys: KEYS,
  rivals: [OURS, MESSAGE_DB, EMMETT],
  ratios: [{ title: "ours of better peer", of: ofBetter }],
};
const STREAM = "fare-long";
const EVENTS = 1_000;
const OTHERS = Array.from({ length: 1_000 }, (_, number) => `fare-${number}`);
const SECONDS = 1;

/** Reading a stream from its first event to its last. */
export const eventRead: Measurement = {
  about: `A stream of ${
    EVENTS.toLocaleString("en")
  } events read whole, into parsed events, beside 100,000 events of other streams.`,
  run: ({ rounds }) =>
    withDurablePostgres(async (postgres) => {
      await using stores = await startEventStores(postgres);
      for (const rival of Object.values(stores.rivals)) {
        await rival.fill({ streams: OTHERS, events: 50 });
        await rival.fill({ streams: [STREAM], events: EVENTS });
        await rival.fill({ streams: OTHERS, events: 50 });
        await rival.vacuum();
      }
      const cells: Cell[] = [];
      for (const clients of [1, 4]) {
        const turns = Object.entries(stores.rivals).map(([name, rival]) => [name, () =>
          rival.read({ stream: STREAM, events: EVENTS, clients, seconds: SECONDS })]
        );
        await interleave(1, Object.fromEntries(turns));
        const readings = await interleave<Reading>(rounds, Object.fromEntries(turns));
        cells.push({ keys: [String(clients)], readings });
      }
      return [
        {
          ...rateTable("Whole streams per second", COLUMNS, cells),
          notes: [
            `Medians of ${rounds} interleaved rounds of ${SECONDS} s. Parsing is part of it: the client has events, not text.`,
            FOREIGN_NOTE,
            postgres.settings,
          ],
        },
        cpuTable("Postgres CPU per stream, µs", COLUMNS, cells),
        targetTable(KEYS, cells, [{ title: "ahead of both", of: ofBetter, least: 1 }]),
      ];
    }),
};
