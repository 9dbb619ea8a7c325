import type { Sql } from "postgres";
import { localTarget, type Target, withConnection } from "../scripts/stack/database.ts";
import { SUPERUSER, urlOf } from "../scripts/stack/connection.ts";
import { withMigratedPostgres } from "../scripts/stack/throwaway.ts";
import type { Measurement } from "./measurement.ts";
import { delivery } from "./support/deliveries.ts";
import { ingest } from "./support/ingest.ts";
import { interleave } from "./support/rounds.ts";
import { median, percentile } from "./support/statistics.ts";
import { figure, ratio, type Table } from "./support/table.ts";

const PEOPLE = 100_000;
const MESSAGES = 1_000_000;
const FILL = new URL("history/fill.sql", import.meta.url);

/** Deliveries by the number of their messages, and how many of them in a round. */
const SIZES = { 1: 100, 100: 8 };

/** Whether storing a message costs more when a million are there. */
export const history: Measurement = {
  about: `Storing a delivery with 0 and with ${MESSAGES.toLocaleString("en")} messages stored, in SQL.`,
  run: () =>
    withMigratedPostgres("bench_empty", async (empty, port) => {
      await withConnection(urlOf(port, "postgres", SUPERUSER), (sql) =>
        sql`create database bench_full template bench_empty`);
      const full = localTarget(port, "bench_full");
      await fill(empty, 0);
      await fill(full, MESSAGES);
      return await withConnection(empty.url, (few) =>
        withConnection(full.url, (many) => compare(few, many)));
    }),
};

async function compare(few: Sql, many: Sql): Promise<Table[]> {
  const rows: string[][] = [];
  for (const [size, count] of Object.entries(SIZES)) {
    const rivals = { few: () => repeat(count, few, Number(size)), many: () => repeat(count, many, Number(size)) };
    await interleave(1, rivals);
    const found = await interleave(7, rivals);
    const [before, after] = [found.few!.flat(), found.many!.flat()];
    rows.push([
      size === "1" ? "1 message" : `${size} messages`,
      ...[median(before), percentile(before, 0.99), median(after), percentile(after, 0.99)].map(figure),
      ratio(median(after), median(before)),
    ]);
  }
  const [stored] = await many`select pg_size_pretty(pg_database_size(current_database())) as size`;
  return [{
    title: "Time per delivery",
    columns: ["delivery", "0 stored, ms", "p99", "1 million, ms", "p99", "ratio of medians"],
    rows,
    notes: [
      `Medians over 7 interleaved rounds on one server, one delivery at a time, ${
        PEOPLE.toLocaleString("en")
      } people known to both. Target: at most 1.2x.`,
      `The million: one delivery, one item, one message and their keys each, over four monthly partitions of the last 90 days (${
        stored!.size
      }), vacuumed and analysed. Every key is kept, though in life they go after 35 days.`,
    ],
  }];
}

async function repeat(count: number, sql: Sql, items: number): Promise<number[]> {
  const times: number[] = [];
  while (times.length < count) times.push(await ingest(sql, delivery({ items, people: PEOPLE })));
  return times;
}

function fill({ superuserUrl }: Target, messages: number): Promise<void> {
  return withConnection(superuserUrl, async (sql) => {
    await sql`select set_config('bench.people', ${PEOPLE}, false), set_config('bench.messages', ${messages}, false)`;
    await sql.unsafe(await Deno.readTextFile(FILL)).simple();
    await sql`vacuum (analyze)`;
    await sql`checkpoint`;
  });
}
