import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { openedLeaves } from "../../support/opened_leaves.ts";
import { append, readAfter, START } from "./events.ts";

const MONTHS = 24;

const database = await createTestDatabase();
await makeHistory();

/** A test beside two years of events: one a day, each of a transaction_id of its own, 100 apart. */
function test(name: string, body: (sql: TransactionSql) => Promise<void>): void {
  Deno.test(name, rolledBack(database, body));
}

test("read_events() from the start gives all of years, in order", async (sql) => {
  const events = await readAfter(sql, START, 10_000);

  assertEquals(events.map(({ version }) => Number(version)), Array.from({ length: DAYS }, (_, index) => index + 1));
});

test("read_events() gives the same in pieces of any size, each of which opens few months", async (sql) => {
  for (const [from, size] of [[0, 10], [350, 10], [DAYS - 5, 10], [30, 60]] as const) {
    const place = { transaction_id: String(from * 100), position: "1000000000" };
    let versions: number[] = [];
    const { used } = await openedLeaves(sql, async () => {
      versions = (await readAfter(sql, place, size)).map(({ version }) => Number(version));
    });

    const last = Math.min(from + size, DAYS);
    assertEquals(versions, Array.from({ length: last - from }, (_, index) => from + index + 1));
    assertEquals(used.filter(isPast).length <= 3 + Math.floor(size / 30), true, used.join());
  }
});

test("who has read all opens the newest months only", async (sql) => {
  const last = { transaction_id: String(DAYS * 100), position: "1000000000" };

  const { used } = await openedLeaves(sql, () => readAfter(sql, last));

  assertEquals(used.filter(isPast).length <= 2, true, used.join());
});

test("without ticks of late, nothing is passed over: more months are opened", async (sql) => {
  await sql`delete from private.event_ticks where ticked_at > now() - interval '10 months'`;

  assertEquals((await readAfter(sql, START, 10_000)).length, DAYS);
});

Deno.test("a tick stands between what was appended before it and after it", async () => {
  const { sql } = await createTestDatabase();
  await sql`delete from private.event_ticks`;
  const before = await append(sql);
  await sql`select private.tick_events()`;
  const after = await append(sql);

  const [tick] = await sql`
    select next_transaction_id > ${before.transaction_id} as is_after, ended_transaction_id <= ${after.transaction_id} as is_before
    from private.event_ticks`;

  assertEquals({ ...tick }, { is_after: true, is_before: true });
  await sql.end();
});

const DAYS = MONTHS * 30;

/** Writes events and ticks as if the store had been in use for that long. */
async function makeHistory(): Promise<void> {
  await database.sql`
    select private.create_partition('event_store', date_trunc('month', now(), 'UTC') - make_interval(months => month))
    from generate_series(1, ${MONTHS + 1}::int) as month`;
  await database.sql`delete from private.event_ticks`;
  await database.sql`update private.event_epoch set base = 1_000_000`;
  await database.sql`
    insert into private.event_ticks (ticked_at, ended_transaction_id, next_transaction_id)
    select now() - make_interval(days => ${MONTHS * 30}::int - day, hours => 2), day * 100, day * 100
    from generate_series(0, ${MONTHS * 30}::int) as day`;
  await database.sql`
    insert into public.event_store (
      id, created_at, stream_id, version, transaction_id, event_id, occurred_at, schema_version, aggregate_type, aggregate_id, event_type, payload, actor
    )
    select private.uuid_v7(now() - make_interval(days => ${
    MONTHS * 30
  }::int - day, hours => 1)), now(), 1, day, day * 100, gen_random_uuid(),
      now(), 1, 'trip', 't1', 'trip.moved', '{}', 'history'
    from generate_series(1, ${MONTHS * 30}::int) as day`;
}

function isPast(leaf: string): boolean {
  return leaf.slice(-7) <= new Date().toISOString().slice(0, 7).replace("-", "_");
}
