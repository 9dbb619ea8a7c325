import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { ReservedSql, Sql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { claim, type Claimed, complete, enqueue, enqueueAll, fail, openQueue, release, tend } from "./queues.ts";

const WRITERS = 3;
/** So many pass by that the mark rises beyond whatever is not committed. */
const MANY = 900;

/** A connection that may be in the middle of a transaction, and what that has done so far. */
class Writer {
  isOpen = false;
  enqueued: string[] = [];
  completed: string[] = [];
  claimed: Claimed[] = [];
  held: Claimed[] = [];

  constructor(readonly sql: ReservedSql) {}

  async begin(): Promise<void> {
    if (!this.isOpen) await this.sql`begin`;
    this.isOpen = true;
  }

  /** Ends the transaction; gives what it has changed for good. */
  async end(isKept: boolean): Promise<{ enqueued: string[]; completed: string[] }> {
    if (this.isOpen) await (isKept ? this.sql`commit` : this.sql`rollback`);
    const done = isKept ? { enqueued: this.enqueued, completed: this.completed } : { enqueued: [], completed: [] };
    if (isKept) this.held.push(...this.claimed.filter(({ id }) => !this.completed.includes(id)));
    Object.assign(this, { isOpen: false, enqueued: [], completed: [], claimed: [] });
    return done;
  }
}

type Step = (writer: Writer, sql: Sql, ready: Set<string>) => Promise<unknown>;

const STEPS: Record<string, Step> = {
  async enqueue(writer) {
    await writer.begin();
    writer.enqueued.push((await enqueue(writer.sql, { payload: { isOurs: true } })).message_id);
  },
  async claim(writer) {
    await writer.begin();
    writer.claimed.push(...await claim(writer.sql, 2));
  },
  async complete(writer) {
    const message = writer.claimed.pop();
    if (message) writer.completed.push(...await complete(writer.sql, [message]));
  },
  async release(writer) {
    const message = writer.claimed.pop();
    if (message) await release(writer.sql, [message]);
  },
  async failLater(writer) {
    const message = writer.held.pop();
    if (message) await fail(writer.sql, [message], { retryAfter: 0 });
  },
  commit: (writer, _, ready) => end(writer, true, ready),
  rollback: (writer, _, ready) => end(writer, false, ready),
  flow: (_, sql) => flow(sql),
  tend: (_, sql) => tend(sql),
};

Deno.test("whoever commits late, rolls back or gives back, no message is left below a mark", async () => {
  const { sql, url } = await createTestDatabase();
  const pool = connect(url, { max: WRITERS });
  await openQueue(sql, { keep_history: "none", max_attempts: 1_000, lease_seconds: 86_400 });
  const step = fc.tuple(fc.constantFrom(...Object.keys(STEPS)), fc.nat(WRITERS - 1));

  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30 }), async (steps) => {
      const writers = await Promise.all(Array.from({ length: WRITERS }, async () => new Writer(await pool.reserve())));
      const left = new Set<string>();

      try {
        for (const [name, who] of steps) await STEPS[name]!(writers[who]!, sql, left);
      } finally {
        for (const writer of writers) await end(writer, true, left);
        writers.forEach(({ sql }) => sql.release());
      }
      await tend(sql);

      const held = writers.flatMap(({ held }) => held);
      const ready = await claim(sql, 1_000);
      const ours = ready.filter(({ payload }) => payload.isOurs);
      assertEquals([...ours, ...held].map(({ id }) => id).sort(), [...left].sort());
      await complete(sql, [...ready, ...held]);
    }),
    { numRuns: 25 },
  );
  await Promise.all([sql.end(), pool.end()]);
});

async function end(writer: Writer, isKept: boolean, left: Set<string>): Promise<void> {
  const { enqueued, completed } = await writer.end(isKept);
  enqueued.forEach((id) => left.add(id));
  completed.forEach((id) => left.delete(id));
}

/** Others' messages come and go; those that are not theirs are given back. */
async function flow(sql: Sql): Promise<void> {
  await enqueueAll(sql, Array(MANY).fill({}));
  const claimed = await claim(sql, 1_000);
  await complete(sql, claimed.filter(({ payload }) => !payload.isOurs));
  await release(sql, claimed.filter(({ payload }) => payload.isOurs));
}
