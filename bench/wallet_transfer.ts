import type { Measurement } from "./measurement.ts";
import { type Cell, cpuRatio, cpuTable, FOREIGN_NOTE, rateRatio, rateTable } from "./support/cells.ts";
import { withDurablePostgres } from "./support/durable_postgres.ts";
import { type LedgerRival, OURS, POSTING, REFERENCE, startLedgers } from "./support/ledger_rivals.ts";
import type { LedgerCommands, Receiver } from "./support/ledger_server.ts";
import type { Reading } from "./support/meter.ts";
import { interleave } from "./support/rounds.ts";
import { type Target, targetTable } from "./support/targets.ts";

const ACCOUNTS = 1_000;
const KEYS = ["to", "connections"];

const RECEIVERS: Record<string, Receiver> = {
  "anybody": "people",
  "one, unguarded": "unguarded",
  "one, guarded": "guarded",
};
const [ANYBODY, UNGUARDED, GUARDED] = Object.keys(RECEIVERS);
const VARIED = Object.keys(RECEIVERS).flatMap((to) => [1, 4, 8].map((clients) => ({ to, clients })));

const ofReference = (cell: Cell) => rateRatio(cell, OURS, REFERENCE);
const COLUMNS = {
  keys: KEYS,
  rivals: [OURS, POSTING, REFERENCE],
  ratios: [
    { title: "ours of reference", of: ofReference },
    { title: "posting of reference", of: (cell: Cell) => rateRatio(cell, POSTING, REFERENCE) },
  ],
};
const TARGETS: readonly Target[] = [
  {
    title: "anybody: at least 0.5 of the reference",
    of: ofReference,
    least: 0.5,
    isAbout: ({ keys }) => keys[0] === ANYBODY,
  },
  {
    title: "anybody: at most 0.9 ms of CPU where the reference takes 0.55 (its part of ours at least 0.61)",
    of: (cell) => cpuRatio(cell, REFERENCE, OURS),
    least: 0.61,
    isAbout: ({ keys }) => keys[0] === ANYBODY,
  },
  {
    title: "one, unguarded, 8 connections: at least 1.5 of the reference",
    of: ofReference,
    least: 1.5,
    isAbout: ({ keys }) => keys[0] === UNGUARDED && keys[1] === "8",
  },
  {
    title: "one, guarded, 8 connections: at least 0.5 of the reference",
    of: ofReference,
    least: 0.5,
    isAbout: ({ keys }) => keys[0] === GUARDED && keys[1] === "8",
  },
];

/** Moving money between people, and to one account that all pay. */
export const walletTransfer: Measurement = {
  about:
    `wallet_transfer() with a key, limits and guards beside one transaction of two entries and two balances, between ${
      ACCOUNTS.toLocaleString("en")
    } accounts.`,
  run: ({ isQuick, rounds }) =>
    withDurablePostgres(async (postgres) => {
      const seconds = isQuick ? 1 : 3;
      await using ledgers = await startLedgers(postgres, ACCOUNTS);
      const cells: Cell[] = [];
      for (const { to, clients } of VARIED) {
        const turns = Object.entries(ledgers.rivals).map((
          [name, rival],
        ) => [name, () => transfer(rival, { receiver: RECEIVERS[to]!, clients, seconds })]);
        await interleave(1, Object.fromEntries(turns));
        const readings = await interleave<Reading>(rounds, Object.fromEntries(turns));
        cells.push({ keys: [to, String(clients)], readings });
      }
      return [
        {
          ...rateTable("Transfers per second", COLUMNS, cells),
          notes: [
            `Medians of ${rounds} interleaved rounds of ${seconds} s. ${OURS}: wallet_transfer() with a key and its stored answer; ${POSTING}: the ledger's door without that answer. The reference has one row for the account that all pay; ours has 16 without a guard, one with.`,
            "Not in it: ours are told to the event store later, in batches, by the schedule.",
            FOREIGN_NOTE,
            postgres.settings,
          ],
        },
        cpuTable("Postgres CPU per transfer, µs", COLUMNS, cells),
        targetTable(KEYS, cells, TARGETS),
      ];
    }),
};

async function transfer(rival: LedgerRival, input: LedgerCommands["transfer"]): Promise<Reading> {
  await rival.tidy();
  return await rival.transfer(input);
}
