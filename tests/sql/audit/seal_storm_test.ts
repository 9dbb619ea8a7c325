import { assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { logEvents, seal, sealAll, sealedRows, verify } from "./sealing.ts";

const WRITERS = 100;
const CONNECTIONS = 12;
const SLOW_SECONDS = 0.1;

Deno.test("while 100 writers commit quickly, slowly or not at all, every row is sealed once and nothing is wrong", async () => {
  const { sql, url } = await createTestDatabase();
  const writers = connect(url, { max: CONNECTIONS });
  const sealers = connect(url, { max: 2 });
  const verifier = connect(url);
  let areWriting = true;

  const writing = Promise.all(Array.from({ length: WRITERS }, (_, number) => write(writers, number)))
    .finally(() => areWriting = false);
  const whileWriting = async (work: () => Promise<unknown>) => {
    while (areWriting) await work();
  };
  await Promise.all([
    writing,
    whileWriting(() => seal(sealers, 7)),
    whileWriting(() => seal(sealers)),
    whileWriting(async () => assertEquals(await verify(verifier), null)),
  ]);
  await sealAll(sql);

  const sealed = (await sealedRows(sql)).flat();
  assertEquals(sealed.toSorted(), (await writing).flat().sort());
  assertEquals(await verify(sql), null);
  await Promise.all([sql, writers, sealers, verifier].map((sql) => sql.end()));
});

/** One writer's transaction: one in three is slow, one in four is rolled back. Gives the ids that were committed. */
async function write(sql: Sql, number: number): Promise<string[]> {
  const isSlow = number % 3 === 0;
  const isUndone = number % 4 === 0;
  const ids: string[] = [];
  await sql.begin(async (sql) => {
    ids.push(...await logEvents(sql, `trip-${number}-1`, `trip-${number}-2`));
    if (isSlow) await sql`select pg_sleep(${SLOW_SECONDS})`;
    ids.push(...await logEvents(sql, `trip-${number}-3`));
    if (isUndone) throw "undone";
  }).catch((thrown) => {
    if (thrown !== "undone") throw thrown;
    ids.length = 0;
  });
  return ids;
}
