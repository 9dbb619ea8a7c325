import type { Table } from "./support/table.ts";

/** How thoroughly to measure. */
export interface Options {
  /** How often each rival's turn comes, where the measurement does not set that itself. */
  rounds: number;
  /** Leaves out what takes longest: for trying, not for figures. */
  isQuick: boolean;
}

/** One thing that is measured, beside its peers. */
export interface Measurement {
  /** What is compared, in one line. */
  about: string;
  /** Only when asked for by name: it takes too long to run with all the others. */
  isOnRequest?: boolean;
  run(options: Options): Promise<Table[]>;
}
