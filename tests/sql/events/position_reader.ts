import type { Sql } from "postgres";

/** Reads as if events committed in the order of their positions: what a checkpoint that is one number does. */
export class PositionReader {
  /** The ids of the events read. */
  readonly seen: string[] = [];
  #last = "0";
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  async read(): Promise<void> {
    const events = await this.#sql<{ event_id: string; position: string }[]>`
      select event_id, position from public.event_store where position > ${this.#last} order by position`;
    this.seen.push(...events.map(({ event_id }) => event_id));
    this.#last = events.at(-1)?.position ?? this.#last;
  }
}
