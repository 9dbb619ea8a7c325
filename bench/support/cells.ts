import type { Reading } from "./meter.ts";
import { median } from "./statistics.ts";
import { figure, ratio, type Table } from "./table.ts";

/** One combination of what is varied, and what each rival did in it, round by round. */
export interface Cell {
  /** The values that were varied, as they stand in the first columns. */
  keys: readonly string[];
  readings: Readonly<Record<string, readonly Reading[]>>;
}

/** A ratio to be shown, and what it is of. */
export interface Ratio {
  title: string;
  of(cell: Cell): number;
}

/** From this part of the machine on, a row was measured beside too much else. */
const FOREIGN_LIMIT = 0.2;
export const FOREIGN_NOTE =
  "`*`: in the median round, others used more than 20 % of the machine: read the CPU instead, or measure again.";

/** How many a second, in the median round. */
export function rateOf({ readings }: Cell, rival: string): number {
  return median(readings[rival]!.map(({ count, seconds }) => count / seconds));
}

/** The ratio of the first's rate to that of the best of the others. */
export function rateRatio(cell: Cell, rival: string, ...peers: readonly string[]): number {
  return rateOf(cell, rival) / Math.max(...peers.map((peer) => rateOf(cell, peer)));
}

/** The ratio of the first's CPU to that of the other. */
export function cpuRatio(cell: Cell, rival: string, peer: string): number {
  return cpuOf(cell, rival) / cpuOf(cell, peer);
}

/** Which rivals a table shows, and the ratios beside them. */
export interface Columns {
  keys: readonly string[];
  rivals: readonly string[];
  ratios?: readonly Ratio[];
}

/** What each did a second, and the ratios. */
export function rateTable(title: string, columns: Columns, cells: readonly Cell[]): Table {
  return tableOf(title, columns, cells, rateOf);
}

/** What each took of Postgres' CPU, in microseconds for each one done. */
export function cpuTable(title: string, columns: Columns, cells: readonly Cell[]): Table {
  return tableOf(title, { ...columns, ratios: [] }, cells, cpuOf);
}

function tableOf(
  title: string,
  { keys, rivals, ratios = [] }: Columns,
  cells: readonly Cell[],
  valueOf: (cell: Cell, rival: string) => number,
): Table {
  const rows = cells.map((cell) => [
    ...cell.keys,
    ...rivals.map((rival) => `${figure(valueOf(cell, rival))}${isDisturbed(cell, rival) ? "*" : ""}`),
    ...ratios.map(({ of }) => ratio(of(cell), 1)),
  ]);
  return { title, columns: [...keys, ...rivals, ...ratios.map(({ title }) => title)], rows };
}

/** Postgres' CPU for each one done, in the median round. */
function cpuOf({ readings }: Cell, rival: string): number {
  return median(readings[rival]!.map(({ postgresCpu }) => postgresCpu));
}

function isDisturbed({ readings }: Cell, rival: string): boolean {
  return median(readings[rival]!.map(({ foreign }) => foreign)) > FOREIGN_LIMIT;
}
