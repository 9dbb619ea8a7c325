import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Sql, TransactionSql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { append, appendAll, draft, readAfter, type Receipt, START, type StoredEvent, untilReadable } from "./events.ts";
import { PositionReader } from "./position_reader.ts";

/** One step of a writer's transaction; streams are numbered. */
type Step =
  | { kind: "append"; stream: number }
  | { kind: "batch"; streams: number[] }
  | { kind: "undone savepoint"; stream: number }
  | { kind: "wait"; seconds: number };

/** A writer's transaction. */
interface Script {
  /** Takes its transaction id before it does anything. */
  isEarly: boolean;
  isUndone: boolean;
  /** Writes in another database, so its steps are only waited through. */
  isElsewhere: boolean;
  steps: Step[];
}

const WRITERS = 8;
const stream = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("append" as const), stream }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("batch" as const),
      streams: fc.array(stream, { minLength: 1, maxLength: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("undone savepoint" as const), stream }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("wait" as const), seconds: fc.constantFrom(0.005, 0.02, 0.06) }),
  },
);
const script: fc.Arbitrary<Script> = fc.record({
  isEarly: fc.boolean(),
  isUndone: fc.integer({ min: 0, max: 4 }).map((number) => number === 0),
  isElsewhere: fc.integer({ min: 0, max: 7 }).map((number) => number === 0),
  steps: fc.array(step, { minLength: 1, maxLength: 4 }),
});

Deno.test("whatever writers do at once, a reader misses no event, meets none twice and each stream in order; by positions alone it misses some", async () => {
  const database = await createTestDatabase();
  const elsewhere = await createTestDatabase();
  const writers = connect(database.url, { max: WRITERS });
  const others = connect(elsewhere.url, { max: 2 });
  const reader = connect(database.url);
  const naive = new PositionReader(database.sql);
  const committed: Receipt[] = [];
  const read: StoredEvent[] = [];

  committed.push(...await commitOutOfOrder(writers, naive));
  await fc.assert(
    fc.asyncProperty(fc.array(script, { minLength: 20, maxLength: 40 }), async (scripts) => {
      let areWriting = true;
      const writing = Promise.all(scripts.map((script) => write(script.isElsewhere ? others : writers, script)))
        .then((receipts) => committed.push(...receipts.flat()))
        .finally(() => areWriting = false);
      while (areWriting) await readOn(reader, read);
      await writing;
      await untilReadable(reader);
      while (await readOn(reader, read) > 0);

      assertEquals(read.map(({ event_id }) => event_id).sort(), committed.map(({ event_id }) => event_id).sort());
      for (const events of Object.values(Object.groupBy(read, ({ aggregate_id }) => aggregate_id))) {
        assertEquals(events!.map(({ version }) => Number(version)), events!.map((_, index) => index + 1));
        assertEquals(events!.map(({ id }) => id), events!.map(({ id }) => id).toSorted());
      }
    }),
    { numRuns: 8, endOnFailure: true },
  );

  await naive.read();
  const missed = committed.filter(({ event_id }) => !naive.seen.includes(event_id));
  assert(missed.length > 0, "the reader that goes by positions missed nothing");
  await Promise.all([writers, others, reader, database.sql, elsewhere.sql].map((sql) => sql.end()));
});

/** Lets the second of two events commit first, while the naive reader looks. */
async function commitOutOfOrder(sql: Sql, naive: PositionReader): Promise<Receipt[]> {
  return await sql.begin(async (slow) => {
    const late = await append(slow, { aggregate_id: "late" });
    const early = await append(sql, { aggregate_id: "early" });
    await naive.read();
    return [late, early];
  });
}

/** Reads on from the last event read; says how many there were. */
async function readOn(sql: Sql, read: StoredEvent[]): Promise<number> {
  const events = await readAfter(sql, read.at(-1) ?? START, 7);
  read.push(...events);
  return events.length;
}

/** Runs a script in a transaction; gives what it committed. */
async function write(sql: Sql, script: Script): Promise<Receipt[]> {
  const receipts: Receipt[] = [];
  await sql.begin(async (sql) => {
    if (script.isEarly || script.isElsewhere) await sql`select pg_current_xact_id()`;
    for (const step of inLockOrder(script.steps)) receipts.push(...await run(sql, step));
    if (script.isUndone) throw "undone";
  }).catch((thrown) => {
    if (thrown !== "undone") throw thrown;
    receipts.length = 0;
  });
  return script.isElsewhere ? [] : receipts;
}

async function run(sql: TransactionSql, step: Step): Promise<Receipt[]> {
  switch (step.kind) {
    case "append":
      return [await append(sql, { aggregate_id: `s${step.stream}` })];
    case "batch":
      return await appendAll(sql, ...step.streams.map((stream) => draft({ aggregate_id: `s${stream}` })));
    case "undone savepoint":
      await sql.savepoint(async (sql) => {
        await append(sql, { aggregate_id: `s${step.stream}` });
        throw "undone";
      }).catch(() => {});
      return [];
    case "wait":
      await sql`select pg_sleep(${step.seconds})`;
      return [];
  }
}

/** Streams rise from step to step: transactions that lock several in any order deadlock, as with any rows. */
function inLockOrder(steps: Step[]): Step[] {
  let floor = 0;
  return steps.map((step) => {
    if (step.kind === "wait") return step;
    if (step.kind !== "batch") return { ...step, stream: floor = Math.max(floor, step.stream) };
    const streams = step.streams.map((stream) => Math.max(floor, stream));
    floor = Math.max(...streams);
    return { ...step, streams };
  });
}
