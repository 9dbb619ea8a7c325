import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { openedLeaves } from "../../support/opened_leaves.ts";
import { balanceOf, driftOf, openWallet, transfer } from "./wallets.ts";

const database = await createTestDatabase();
const MONTHS = 60;

await database.sql`
  select private.create_partition(managed.table_name, date_trunc('month', now(), 'UTC') - make_interval(months => n))
  from private.partitioned_tables as managed
  cross join generate_series(1, ${MONTHS}::int) as n
  where managed.table_name like 'wallet%'`;

/** As if the rider had paid the driver 1 every third month of the last five years, on the tenth at noon. */
async function yearsOfPayments(sql: TransactionSql): Promise<{ rider: string; driver: string; booked: Date[] }> {
  const [rider, driver] = [await openWallet(sql), await openWallet(sql)];
  await sql`select public.set_wallet_guards(${rider}, -1000)`;
  const booked: Date[] = [];
  for (let months = MONTHS; months > 0; months -= 3) {
    const [row] = await sql`
      select (date_trunc('month', now(), 'UTC') - make_interval(months => ${months}::int)) + interval '9.5 days' as at`;
    booked.push(row!.at);
    await sql`
      with posted as (
        insert into public.wallet_transactions (id, created_at, effective_at, kind, source, reference, metadata, actor)
        values (private.uuid_v7(${row!.at}), ${row!.at}, ${row!.at}, 'transfer', 'history', ${
      String(months)
    }, '{}', 'postgres')
        returning id
      ),
      entered as (
        insert into public.wallet_entries (transaction_id, account_id, shard, leg, currency, amount, balance, version)
        select posted.id, account_id::uuid, 0, leg, 'RWF', amount, amount * ${booked.length}::int, ${booked.length}::int
        from posted cross join (values (${rider}, 1, -1), (${driver}, 2, 1)) as side (account_id, leg, amount)
      )
      insert into public.wallet_months (account_id, shard, month, opening_balance, opening_version)
      select account_id::uuid, 0, date_trunc('month', ${
      row!.at
    }::timestamptz, 'UTC'), amount * (${booked.length}::int - 1), ${booked.length}::int - 1
      from (values (${rider}, -1), (${driver}, 1)) as side (account_id, amount)`;
  }
  for (const [account, sign] of [[rider, -1], [driver, 1]] as const) {
    await sql`
      update public.wallet_balances set
        balance = ${sign * booked.length}, version = ${booked.length}, last_entry_at = ${booked.at(-1)!},
        month = date_trunc('month', ${booked.at(-1)!}::timestamptz, 'UTC')
      where account_id = ${account}`;
  }
  return { rider, driver, booked };
}

Deno.test(
  "a balance of any of five years is that of the last entry before it, however long ago that was",
  rolledBack(database, async (sql) => {
    const { driver, booked } = await yearsOfPayments(sql);

    for (const [index, at] of booked.entries()) {
      assertEquals(await balanceOf(sql, driver, new Date(at.getTime() - 1)), index);
      assertEquals(await balanceOf(sql, driver, at), index + 1);
      assertEquals(await balanceOf(sql, driver, new Date(at.getTime() + 70 * 86_400_000)), index + 1);
    }
    assertEquals(await driftOf(sql), []);
  }),
);

Deno.test(
  "a statement of five years closes, by pages, forwards and backwards",
  rolledBack(database, async (sql) => {
    const { rider, driver, booked } = await yearsOfPayments(sql);
    await transfer(sql, driver, rider, 5);
    const read = (options: string) =>
      sql.unsafe(`
        select amount::int, balance::int from public.wallet_statement('${driver}', now() - interval '7 years' ${options})`);

    const lines = await read("");
    const newest = await read(", is_newest_first => true, max_count => 2");

    const expected = [...booked.map((_, index) => [1, index + 1]), [-5, booked.length - 5]];
    assertEquals(lines.map(({ amount, balance }) => [amount, balance]), expected);
    assertEquals(newest.map(({ amount, balance }) => [amount, balance]), expected.slice(-2).reverse());
  }),
);

Deno.test(
  "the last entries of an account that was quiet for years are found in the months in which it has some",
  rolledBack(database, async (sql) => {
    const { driver } = await yearsOfPayments(sql);

    const { used } = await openedLeaves(
      sql,
      () =>
        sql`select * from public.wallet_statement(${driver}, now() - interval '7 years', max_count => 2, is_newest_first => true)`,
    );

    assertEquals(used.filter((leaf) => leaf.startsWith("partitions.wallet_entries")).length <= 2, true, used.join());
  }),
);

Deno.test(
  "verify_wallet_ledger() follows each account through all its months",
  rolledBack(database, async (sql) => {
    const { rider, driver } = await yearsOfPayments(sql);
    await transfer(sql, driver, rider, 5);

    const [sound] = await sql`select private.verify_wallet_ledger()::int as count`;
    await sql`alter table public.wallet_months disable trigger refuse_change`;
    await sql`
      update public.wallet_months set opening_balance = 100
      where account_id = ${driver} and month = (select max(month) from public.wallet_months where account_id = ${driver})`;
    const [forged] = await sql`select private.verify_wallet_ledger()::int as count`;

    assertEquals([sound!.count, forged!.count > 0], [0, true]);
  }),
);
