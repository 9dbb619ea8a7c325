import type { Measurement } from "./measurement.ts";
import { type DurablePostgres, withDurablePostgres } from "./support/durable_postgres.ts";
import { OURS, startLedgers } from "./support/ledger_rivals.ts";
import type { Reading } from "./support/meter.ts";
import { median } from "./support/statistics.ts";
import { figure, ratio, type Table } from "./support/table.ts";

const MILLION = 1_000_000;
const MARKS = [0, 1, 2, 5, 10];
const STEP = 200_000;
const ACCOUNTS = 1_000;
const ROUND = { receiver: "people", clients: 4, seconds: 2 } as const;
/** What a transfer may cost at the last mark, as a multiple of what it cost at none. */
const MOST = 1.2;
const FILL = new URL("history/fill_wallet.sql", import.meta.url);

/** Whether a transfer costs more when millions have been made. */
export const walletSize: Measurement = {
  about: `wallet_transfer() beside 0 to ${MARKS.at(-1)} million transactions of the last six months.`,
  isOnRequest: true,
  run: ({ isQuick, rounds }) =>
    withDurablePostgres(async (postgres) => {
      await using ledgers = await startLedgers(postgres, ACCOUNTS);
      const ours = ledgers.rivals[OURS]!;
      await makeOldMonths(postgres);
      const marks = isQuick ? MARKS.slice(0, 2) : MARKS;
      const found: { cpu: number; rate: number; megabytes: number }[] = [];
      let filled = 0;
      for (const mark of marks) {
        for (; filled < mark * MILLION; filled += STEP) await fill(postgres);
        const readings: Reading[] = [];
        for (let round = 0; round <= rounds; round++) {
          await ours.tidy();
          readings.push(await ours.transfer(ROUND));
        }
        // The first round warms up.
        const counted = readings.slice(1);
        found.push({
          cpu: median(counted.map(({ postgresCpu }) => postgresCpu)),
          rate: median(counted.map(({ count, seconds }) => count / seconds)),
          megabytes: await sizeOf(postgres),
        });
      }
      return [growthTable(found, marks, postgres.settings)];
    }),
};

async function makeOldMonths({ sql }: DurablePostgres): Promise<void> {
  await sql`
    select private.create_partition(name, date_trunc('month', now(), 'UTC') - make_interval(months => past))
    from unnest(array['wallet_transactions', 'wallet_entries']) as name, generate_series(1, 6) as past`;
}

async function fill({ sql }: DurablePostgres): Promise<void> {
  await sql.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql.unsafe(await Deno.readTextFile(FILL), [STEP]);
  });
}

async function sizeOf({ sql }: DurablePostgres): Promise<number> {
  const [row] = await sql`select pg_database_size(current_database()) / 1e6 as megabytes`;
  return Number(row!.megabytes);
}

function growthTable(
  found: readonly { cpu: number; rate: number; megabytes: number }[],
  marks: readonly number[],
  settings: string,
): Table {
  const growth = found.at(-1)!.cpu / found[0]!.cpu;
  return {
    title: "A transfer beside so many",
    columns: ["", ...marks.map((mark) => `${mark} M`), "last of first"],
    rows: [
      ["Postgres CPU, µs", ...found.map(({ cpu }) => figure(cpu)), ratio(found.at(-1)!.cpu, found[0]!.cpu)],
      ["transfers per second", ...found.map(({ rate }) => figure(rate)), ratio(found.at(-1)!.rate, found[0]!.rate)],
      ["database, MB", ...found.map(({ megabytes }) => figure(megabytes)), ""],
    ],
    notes: [
      `Target: CPU at most ${MOST}x: ${growth <= MOST ? "met" : "NOT met"} with ${
        ratio(growth, 1)
      }. ${ROUND.clients} connections.`,
      settings,
    ],
  };
}
