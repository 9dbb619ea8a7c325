import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { capture, hold, openWallet, post, refund, transfer } from "./wallets.ts";

const database = await createTestDatabase();

Deno.test(
  "what moves money is told in the event store, once, without names and numbers",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const { transaction_id } = await transfer(sql, rider, driver, 700);
    await refund(sql, transaction_id!, 100);

    await record(sql);

    const events = await sql`
      select aggregate_id, event_type, payload from public.event_store where aggregate_type = 'wallet_transaction' order by position`;
    assertEquals(events.map(({ event_type, payload }) => [event_type, payload.kind]), [
      ["wallet_transaction.posted", "deposit"],
      ["wallet_transaction.posted", "transfer"],
      ["wallet_transaction.posted", "refund"],
    ]);
    assertEquals(events[1]!.aggregate_id, transaction_id);
    assertEquals(events[1]!.payload.entries.toSorted((one: Entry, other: Entry) => one.amount - other.amount), [
      { account_id: rider, amount: -700, currency: "RWF" },
      { account_id: driver, amount: 700, currency: "RWF" },
    ]);
    assertEquals(events[2]!.payload.original_id, transaction_id);
    assertEquals(await record(sql), 0);
  }),
);

interface Entry {
  amount: number;
}

Deno.test(
  "a hold's life is a stream",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const holds = [];
    for (let time = 0; time < 3; time++) holds.push((await hold(sql, rider, 100, { to: driver })).id!);
    await capture(sql, holds[0]!, { amount: 60 });
    await sql`select public.wallet_release(${holds[1]!})`;
    await sql`update public.wallet_holds
      set created_at = now() - interval '2 hours', expires_at = now() - interval '1 hour' where id = ${holds[2]!}`;
    await sql`select private.expire_wallet_holds()`;

    await record(sql);

    const rows = await sql`
      select aggregate_id, string_agg(event_type, ' ' order by version) as story, max(payload ->> 'captured_amount') as captured
      from public.event_store where aggregate_type = 'wallet_hold' group by aggregate_id`;
    const stories = new Map(rows.map(({ aggregate_id, story, captured }) => [aggregate_id, [story, captured]]));
    assertEquals(holds.map((id) => stories.get(id)), [
      ["wallet_hold.created wallet_hold.captured", "60"],
      ["wallet_hold.created wallet_hold.released", null],
      ["wallet_hold.created wallet_hold.expired", null],
    ]);
  }),
);

Deno.test(
  "events of an account come in the order of its entries, batch after batch",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const posted: string[] = [];
    for (let time = 0; time < 7; time++) posted.push(await post(sql, "transfer", [[rider, -1], [driver, 1]]));

    for (let batch = 0; batch < 4; batch++) await record(sql, 2);

    const rows = await sql`
      select aggregate_id from public.event_store where aggregate_type = 'wallet_transaction' order by transaction_id, position`;
    assertEquals(rows.map(({ aggregate_id }) => aggregate_id).slice(1), posted);
  }),
);

Deno.test(
  "what is rolled back is told to nobody",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 10 }), await openWallet(sql)];
    await record(sql);

    await transfer(sql, rider, driver, 11);

    assertEquals(await record(sql), 0);
  }),
);

Deno.test(
  "events carry on the correlation of the request",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 10 }), await openWallet(sql)];
    await sql`select set_config('request.headers', '{"x-correlation-id": "ride-42"}', true)`;
    const { transaction_id } = await transfer(sql, rider, driver, 5);
    await sql`select set_config('request.headers', '', true)`;

    await record(sql);

    const [event] = await sql`select correlation_id from public.event_store where aggregate_id = ${transaction_id!}`;
    assertEquals(event!.correlation_id, "ride-42");
  }),
);

async function record(sql: TransactionSql, size = 500): Promise<number> {
  const [row] = await sql`select private.record_wallet_news(${size})::int as count`;
  return row!.count;
}
