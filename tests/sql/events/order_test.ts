import { assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase } from "../../support/database.ts";
import { append, readAfter, type Receipt, untilReadable } from "./events.ts";
import { PositionReader } from "./position_reader.ts";

/** Two connections to a database of this test's own, and a third that reads. */
function orderTest(name: string, body: (slow: Sql, quick: Sql, reader: Sql) => Promise<void>): void {
  Deno.test(name, async () => {
    const database = await createTestDatabase();
    const connections = [connect(database.url), connect(database.url), database.sql] as const;
    await body(...connections);
    await Promise.all(connections.map((sql) => sql.end()));
  });
}

orderTest(
  "a transaction that began to write early may append to a stream after a later one: it is read in order",
  async (slow, quick, reader) => {
    let first: Receipt | undefined;
    await slow.begin(async (sql) => {
      await sql`select pg_current_xact_id()`;
      first = await append(quick);
      await append(sql);
    });
    await untilReadable(reader);

    assertEquals(await writers(reader), ["2", "1"]);
    assertEquals((await readAfter(reader)).map(({ version }) => version), ["1", "2"]);
    assertEquals((await readAfter(reader, first)).map(({ version }) => version), ["2"]);
  },
);

orderTest("an event is never read before one of another stream that it was caused by", async (slow, quick, reader) => {
  await slow.begin(async (sql) => {
    await sql`select pg_current_xact_id()`;
    await append(quick, { aggregate_id: "cause" });
    const [cause] = await sql`select event_id from public.get_aggregate_events('trip', 'cause')`;
    await append(sql, { aggregate_id: "effect", causation_id: cause!.event_id });
  });
  await untilReadable(reader);

  assertEquals((await readAfter(reader)).map(({ aggregate_id }) => aggregate_id), ["cause", "effect"]);
});

orderTest(
  "an event that commits late is not passed over, as it is by who goes by positions alone",
  async (slow, quick, reader) => {
    const naive = new PositionReader(reader);
    let early: Receipt | undefined;
    let shownEarly: number | undefined;
    await slow.begin(async (sql) => {
      await append(sql, { aggregate_id: "late" });
      early = await append(quick, { aggregate_id: "early" });
      await naive.read();
      shownEarly = (await readAfter(reader)).length;
    });
    await untilReadable(reader);
    await naive.read();

    assertEquals(naive.seen, [early!.event_id]);
    assertEquals(shownEarly, 0);
    assertEquals((await readAfter(reader)).map(({ aggregate_id }) => aggregate_id), ["late", "early"]);
  },
);

orderTest("a savepoint that is rolled back leaves neither an event nor a hole", async (writer, _quick, reader) => {
  await writer.begin(async (sql) => {
    await append(sql);
    await sql.savepoint(async (sql) => {
      await append(sql);
      throw "undone";
    }).catch(() => {});
    await append(sql);
  });
  await untilReadable(reader);

  assertEquals((await readAfter(reader)).map(({ version }) => version), ["1", "2"]);
});

orderTest(
  "a writer of another database holds events back until it ends, and can be seen doing it",
  async (writer, _quick, reader) => {
    const elsewhere = await createTestDatabase();
    let held: Record<string, unknown> | undefined;
    await elsewhere.sql.begin(async (sql) => {
      await sql`create table public.report ()`;
      const receipt = await append(writer);
      assertEquals((await readAfter(reader)).length, 0);
      [held] = await reader`
        select transaction_id <= ${receipt.transaction_id} as hides, pid is not null and started_at <= now() as is_known
        from public.event_horizon`;
    });
    await untilReadable(reader);

    assertEquals(held, { hides: true, is_known: true });
    assertEquals((await readAfter(reader)).length, 1);
    await elsewhere.sql.end();
  },
);

orderTest("who only reads, however long, holds no event back", async (reading, writer, reader) => {
  await reading.begin("isolation level repeatable read read only", async (sql) => {
    await sql`select count(*) from public.event_streams`;
    await append(writer);
    await untilReadable(reader);
    assertEquals((await readAfter(reader)).length, 1);
  });
});

/** The ranks of the transactions that wrote the events, by version: what their bare ids would order them by. */
async function writers(sql: Sql): Promise<string[]> {
  const rows =
    await sql`select rank() over (order by xmin::text::bigint) as rank from public.event_store order by version`;
  return rows.map(({ rank }) => rank);
}
