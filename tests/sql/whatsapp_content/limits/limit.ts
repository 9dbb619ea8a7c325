import type { Message } from "../payloads.ts";

/** A limit of Meta's: what is measured, from where to where it may go, and a message of any such measure. */
export interface Limit {
  what: string;
  unit: "characters" | "entries" | "in all" | "degrees" | "minutes" | "number";
  /** 1 unless it says so: nothing that is there may be empty. */
  lowest?: number;
  highest: number;
  /** Where a message that is beyond the limit is at fault. */
  pointer: string;
  of: (measure: number) => Message;
}

/** A limit as a row of the documentation's table. */
export function markdownOf({ what, lowest = 1, highest, unit }: Limit): string {
  return `| ${what} | ${lowest} to ${highest} ${unit === "number" ? "" : unit} |`;
}
