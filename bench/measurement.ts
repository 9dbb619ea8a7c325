import type { Table } from "./support/table.ts";

/** One thing that is measured, beside its peers. */
export interface Measurement {
  /** What is compared, in one line. */
  about: string;
  run(): Promise<Table[]>;
}
