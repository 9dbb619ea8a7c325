import { assert, assertEquals } from "@std/assert";
import type { Sql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { withMigratedPostgres } from "../../../scripts/stack/throwaway.ts";
import { createTestDatabase } from "../../support/database.ts";
import { append, type Place, readAfter, START, type StoredEvent, streamOf, untilReadable } from "./events.ts";
import { restoreEvents } from "./restoring.ts";

Deno.test("an event store that is restored into another cluster, and back, goes on: readers miss nothing and meet nothing twice", async () => {
  const old = await createTestDatabase();
  await useTransactionIds(old.sql, 5_000);
  const there = [await append(old.sql, { payload: { n: 1 } }), await append(old.sql, { payload: { n: 2 } })];
  await untilReadable(old.sql);
  const [read] = await readAfter(old.sql, START, 1);

  await withMigratedPostgres("restored", async ({ url }) => {
    const sql = connect(url);
    await restoreEvents(old.sql, sql);
    assertEquals(numbers(await readAfter(sql, read)), [2], "what was not read yet shows before anything is written");
    assert(await currentTransactionId(sql) < Number(there[0]!.transaction_id), "transaction ids began anew");

    const here = await append(sql, { payload: { n: 3 } });
    await append(sql, { payload: { n: 4 } });
    assertEquals(numbers(await readAfter(sql, read)), [2, 3, 4]);
    assertEquals(numbers(await readAfter(sql, here)), [4]);
    assertEquals((await streamOf(sql)).map(({ version }) => version), ["1", "2", "3", "4"]);

    const home = await createTestDatabase();
    await restoreEvents(sql, home.sql);
    await append(home.sql, { payload: { n: 5 } });
    await untilReadable(home.sql);
    assertEquals(numbers(await readAfter(home.sql, read)), [2, 3, 4, 5]);
    await Promise.all([sql, home.sql].map((sql) => sql.end()));
  });
  await old.sql.end();
});

Deno.test("of many that write at once after a restoration, one counts on and all agree with it", async () => {
  const { sql, url } = await createTestDatabase();
  const writers = connect(url, { max: 8 });
  await append(sql, { payload: { n: 0 } });
  await sql`update private.event_epoch set cluster_id = 1, base = 1_000_000_000`;

  const receipts = await Promise.all(
    Array.from({ length: 24 }, (_, n) => append(writers, { aggregate_id: `t${n % 5}`, payload: { n } })),
  );
  await untilReadable(sql);

  assertEquals((await readAfter(sql)).length, 25);
  assertEquals((await sql`select from private.event_epoch where cluster_id = private.cluster_id()`).length, 1);
  assertEquals(receipts.every(({ transaction_id }) => BigInt(transaction_id) > 1_000_000_000n), true);
  await Promise.all([sql, writers].map((sql) => sql.end()));
});

Deno.test("a subscription that waits for what comes is not behind what comes after a restoration", async () => {
  const { sql } = await createTestDatabase();
  await sql`update private.event_epoch set base = 1_000_000_000`;
  const [{ after } = { after: "" }] = await sql<{ after: string }[]>`
    select after_transaction_id as after from public.register_subscription('mailer', is_from_start => false)`;
  await sql`update private.event_epoch set cluster_id = 1, base = 0`;

  await append(sql);
  await untilReadable(sql);

  const place: Place = { transaction_id: after, position: "0" };
  assertEquals((await readAfter(sql, place)).length, 1);
  await sql.end();
});

function numbers(events: StoredEvent[]): unknown[] {
  return events.map(({ payload }) => payload.n);
}

/** Uses up transaction ids, so that a new cluster's are smaller. */
async function useTransactionIds(sql: Sql, count: number): Promise<void> {
  await sql.unsafe(`do $$ begin
    for i in 1..${count} loop
      perform pg_current_xact_id();
      commit;
    end loop;
  end $$`);
}

async function currentTransactionId(sql: Sql): Promise<number> {
  const [row] = await sql`select pg_current_xact_id()::text as id`;
  return Number(row!.id);
}
