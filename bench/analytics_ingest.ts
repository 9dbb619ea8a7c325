import type { Measurement, Options } from "./measurement.ts";
import type { AnalyticsCommands } from "./support/analytics_server.ts";
import { type Cell, cpuTable, FOREIGN_NOTE, rateRatio, rateTable } from "./support/cells.ts";
import { type DurablePostgres, withDurablePostgres } from "./support/durable_postgres.ts";
import { ask } from "./support/json_server.ts";
import type { Reading } from "./support/meter.ts";
import { startServer } from "./support/processes.ts";
import { interleave } from "./support/rounds.ts";
import type { Table } from "./support/table.ts";
import { type Target, targetTable } from "./support/targets.ts";

const OURS = "ours";
const COPY = "copy";
const KEYS = ["batch", "connections"];
const BATCHES = [1, 10, 100, 500];
const CONNECTIONS = [1, 8];
/** What one COPY brings, whatever the batch of ours is: as much as it likes best. */
const COPIED = 5_000;
const SECONDS = 2;

const PLAIN = `
  create schema plain;
  create table plain.analytics_events (like public.analytics_events including all) partition by range (day);
  grant all on schema plain to postgres;
  do $$
  declare v_month date;
  begin
    for v_month in select generate_series(date_trunc('month', now() - interval '1 month'), date_trunc('month', now() + interval '1 month'), interval '1 month') loop
      execute format('create table plain.%I partition of plain.analytics_events for values from (%L) to (%L)',
        'events_' || to_char(v_month, 'YYYY_MM'), v_month, v_month + interval '1 month');
    end loop;
  end $$;
  grant all on all tables in schema plain to postgres;
  select public.create_analytics_write_key('bench')`;

const ofCopy = (cell: Cell) => rateRatio(cell, OURS, COPY);
const COLUMNS = { keys: KEYS, rivals: [OURS, COPY], ratios: [{ title: "ours of COPY", of: ofCopy }] };
const TARGETS: readonly Target[] = [
  {
    title: "batches of 100 or more, 1 connection: 0.3 of COPY",
    of: ofCopy,
    least: 0.3,
    isAbout: ({ keys }) => Number(keys[0]) >= 100 && keys[1] === "1",
  },
  {
    title: "batches of 100 or more, 8 connections: 0.45 of COPY",
    of: ofCopy,
    least: 0.45,
    isAbout: ({ keys }) => Number(keys[0]) >= 100 && keys[1] === "8",
  },
];

/** Storing events, with all that is kept of them, beside the fastest way into a table. */
export const analyticsIngest: Measurement = {
  about:
    "Events stored by track_events(), their facts folded, of 10,000 people and 20 names, 2 % late; beside COPY of such rows into a table like it without facts.",
  run: (options) =>
    withDurablePostgres(async (postgres) => {
      await postgres.sql.unsafe(PLAIN).simple();
      await using servers = new AsyncDisposableStack();
      const rivals: Record<string, (input: AnalyticsCommands["store"]) => Promise<Reading>> = {};
      for (const name of [OURS, COPY]) {
        const server = servers.use(
          await startServer("bench/processes/sql_analytics.ts", postgres.url, String(postgres.postmaster), name),
        );
        rivals[name] = (input) => ask(server, "store", input);
      }
      const cells: Cell[] = [];
      for (const clients of CONNECTIONS) {
        for (const batch of BATCHES) {
          const turn = (name: string, rows: number) => async () => {
            await tidy(postgres);
            return await rivals[name]!({ batch: rows, clients, seconds: SECONDS });
          };
          const turns = { [OURS]: turn(OURS, batch), [COPY]: turn(COPY, COPIED) };
          await interleave(1, turns);
          cells.push({ keys: [String(batch), String(clients)], readings: await interleave(options.rounds, turns) });
        }
      }
      return tables(cells, postgres.settings, options);
    }),
};

async function tidy({ sql }: DurablePostgres): Promise<void> {
  await sql.unsafe("select public.refresh_daily_metrics()");
  await sql.unsafe(
    "vacuum (analyze) public.analytics_events, public.analytics_actor_days, private.analytics_dirty_days, plain.analytics_events",
  );
}

function tables(cells: readonly Cell[], settings: string, { rounds }: Options): Table[] {
  return [
    {
      ...rateTable("Events stored per second", COLUMNS, cells),
      notes: [
        `Medians of ${rounds} interleaved rounds of ${SECONDS} s. Each COPY brings ${
          COPIED.toLocaleString("en")
        } rows, at as many connections.`,
        FOREIGN_NOTE,
        settings,
      ],
    },
    cpuTable("Postgres CPU per event, µs", COLUMNS, cells),
    targetTable(KEYS, cells, TARGETS),
  ];
}
