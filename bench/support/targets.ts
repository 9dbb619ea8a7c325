import type { Cell, Ratio } from "./cells.ts";
import { ratio, type Table } from "./table.ts";

/** A ratio that must be reached. */
export interface Target extends Ratio {
  least: number;
  /** In which part (0 to 1) of the cells; in all of them when absent. */
  share?: number;
  /** Which cells it speaks of; all of them when absent. */
  isAbout?(cell: Cell): boolean;
}

/** Which targets are met, and where each is missed. */
export function targetTable(keys: readonly string[], cells: readonly Cell[], targets: readonly Target[]): Table {
  return {
    title: "Targets",
    columns: ["target", "met", "cells met", "worst", `missed at (${keys.join(", ")})`],
    rows: targets.map((target) => row(cells, target)),
  };
}

function row(all: readonly Cell[], { title, of, least, share = 1, isAbout = () => true }: Target): string[] {
  const cells = all.filter(isAbout);
  const found = cells.map((cell) => ({ cell, value: of(cell) })).toSorted((one, other) => one.value - other.value);
  const missed = found.filter(({ value }) => !(value >= least));
  const isMet = cells.length - missed.length >= share * cells.length;
  return [
    title,
    isMet ? "yes" : "NO",
    `${cells.length - missed.length} of ${cells.length}`,
    ratio(found[0]!.value, 1),
    missed.map(({ cell, value }) => `${cell.keys.join("/")} ${ratio(value, 1)}`).join(", ") || "-",
  ];
}
