import { assertEquals } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { append, appendAll, draft, type Receipt, streamOf } from "./events.ts";

const WRITERS = 8;

const database = await createTestDatabase();
const writers = connect(database.url, { max: WRITERS });

function times<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => work(index)));
}

/** What came of an append: the version, or the code that refused it. */
function outcomeOf(appending: Promise<Receipt>): Promise<string> {
  return appending.then(({ version }) => version, (error) => JSON.parse(error.message).code);
}

Deno.test("eight writers of one stream that expect no version all get through, one after the other", async () => {
  const receipts = await times(160, () => append(writers, { aggregate_id: "hot" }));

  const versions = Array.from({ length: 160 }, (_, index) => String(index + 1));
  assertEquals(receipts.map(({ version }) => version).sort(), versions.toSorted());
  assertEquals((await streamOf(database.sql, "hot")).map(({ version }) => version), versions);
});

Deno.test("of eight that begin a stream at once, one does and the others are told that it is there", async () => {
  const outcomes = await times(
    WRITERS,
    () => outcomeOf(append(writers, { aggregate_id: "raced", expected_version: 0 })),
  );

  assertEquals(outcomes.sort(), ["1", ...Array(WRITERS - 1).fill("stream_version_conflict")]);
  assertEquals((await streamOf(database.sql, "raced")).length, 1);
});

Deno.test("of eight that expect the same version, one is right", async () => {
  await append(writers, { aggregate_id: "claimed" });

  const outcomes = await times(
    WRITERS,
    () => outcomeOf(append(writers, { aggregate_id: "claimed", expected_version: 1 })),
  );

  assertEquals(outcomes.sort(), ["2", ...Array(WRITERS - 1).fill("stream_version_conflict")]);
});

Deno.test("batches that name streams in any order do not deadlock", async () => {
  const streams = ["a", "b", "c", "d"].map((aggregate_id) => draft({ aggregate_id }));

  const receipts = await times(
    80,
    (index) => appendAll(writers, ...(index % 2 === 0 ? streams : streams.toReversed())),
  );

  assertEquals(receipts.flat().length, 320);
  assertEquals((await streamOf(database.sql, "d")).length, 80);
});

Deno.test("a transaction that looks at a fixed moment cannot append behind a later event", async () => {
  await append(writers, { aggregate_id: "fixed" });

  const state = await writers.begin("isolation level repeatable read", async (sql) => {
    await sql`select from public.event_streams`;
    await append(writers, { aggregate_id: "fixed" });
    await append(sql, { aggregate_id: "fixed" });
  }).then(() => "00000", (error) => error.code);

  assertEquals(state, "40001");
  assertEquals((await streamOf(database.sql, "fixed")).length, 2);
});
