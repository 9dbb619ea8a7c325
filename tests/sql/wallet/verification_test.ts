import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { driftOf, hold, openWallet, platformAccount, post, transfer } from "./wallets.ts";

const database = await createTestDatabase();

Deno.test(
  "the trial balance has equal sides in every currency, with and without a balance of ours",
  rolledBack(database, async (sql) => {
    const rider = await openWallet(sql, { balance: 1_000 });
    const traveller = await openWallet(sql, { balance: 90, currency: "USD" });
    const [francs, dollars] = [await platformAccount(sql, "exchange"), await platformAccount(sql, "exchange", "USD")];
    await post(sql, "exchange", [[rider, -700], [francs, 700], [dollars, -50], [traveller, 50]]);
    await post(sql, "transfer", [[rider, -10], [await platformAccount(sql, "fees"), 10]]);

    const lines = await sql`
      select currency, code, debit::int, credit::int from public.wallet_trial_balance order by currency, code`;

    assertEquals(lines.map(({ currency, code, debit, credit }) => [currency, code, debit, credit]), [
      ["RWF", "exchange", 0, 700],
      ["RWF", "fees", 0, 10],
      ["RWF", "people:main", 0, 290],
      ["RWF", "settlement:test", 1_000, 0],
      ["RWF", null, 1_000, 1_000],
      ["USD", "exchange", 50, 0],
      ["USD", "people:main", 0, 140],
      ["USD", "settlement:test", 90, 0],
      ["USD", null, 140, 140],
    ]);
  }),
);

Deno.test(
  "verify_wallet_ledger() finds nothing in sound books, before and after it has run",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    for (let round = 0; round < 2; round++) {
      await transfer(sql, rider, driver, 100);
      await hold(sql, rider, 50);
      assertEquals(await driftOf(sql), []);
      assertEquals(await verify(sql), 0);
      assertEquals(await driftOf(sql), []);
    }
    const runs = await sql`select entry_count::int, findings from public.wallet_verifications order by id`;
    assertEquals(runs.map(({ entry_count, findings }) => [entry_count, findings]), [[4, []], [6, []]]);
  }),
);

Deno.test(
  "wallet_health tells what to alert on",
  rolledBack(database, async (sql) => {
    const health = async () => ({ ...(await sql`select * from public.wallet_health`)[0]! });
    const rider = await openWallet(sql, { balance: 1_000 });
    const quiet = await health();
    await verify(sql);
    await hold(sql, rider, 50);
    await sql`update public.wallet_holds
      set created_at = now() - interval '2 hours', expires_at = now() - interval '1 hour'`;
    await sql`update public.wallet_balances set balance = balance - 5 where account_id = ${rider}`;

    const {
      drift_count,
      unbalanced_currency_count,
      verified_entry_count,
      finding_count,
      overdue_hold_count,
      ...times
    } = await health();

    assertEquals([quiet.drift_count, quiet.unbalanced_currency_count, quiet.verified_at], ["0", "0", null]);
    assertEquals([drift_count, unbalanced_currency_count, overdue_hold_count], ["1", "1", "1"]);
    assertEquals([verified_entry_count, finding_count], ["2", "0"]);
    assertEquals([times.verified_at instanceof Date, times.oldest_unrecorded_at instanceof Date], [true, true]);
  }),
);

/** What somebody with the power to switch triggers off could do, and what it is found as. */
const FORGERIES: Record<string, { forge: string; drift: string[]; verified: string[] }> = {
  "a balance set by hand": {
    forge: "update public.wallet_balances set balance = balance + 5 where account_id = $driver",
    drift: ["balance"],
    verified: ["balance"],
  },
  "a balance below its guard": {
    forge: "update public.wallet_balances set balance = -5 where account_id = $driver",
    drift: ["balance", "guard"],
    verified: ["balance", "guard"],
  },
  "a hold forgotten": {
    forge: "update public.wallet_balances set held = 0 where account_id = $rider",
    drift: ["held"],
    verified: ["held"],
  },
  "an entry taken away": {
    forge: "delete from public.wallet_entries where account_id = $driver",
    drift: ["balance", "unbalanced", "version"],
    verified: ["balance", "unbalanced", "version"],
  },
  "a transaction taken away with its entries, and the balances": {
    forge: `
      delete from public.wallet_entries where transaction_id = $paid;
      update public.wallet_balances set balance = balance + 100 where account_id = $rider;
      update public.wallet_balances set balance = balance - 100 where account_id = $driver`,
    drift: ["version"],
    verified: ["chain", "orphaned", "version"],
  },
  "an amount changed on both sides, and the balances": {
    forge: `
      update public.wallet_entries set amount = amount * 2, balance = balance + amount where transaction_id = $paid;
      update public.wallet_balances set balance = balance - 100 where account_id = $rider;
      update public.wallet_balances set balance = balance + 100 where account_id = $driver`,
    drift: [],
    verified: ["chain"],
  },
  "entries without a transaction": {
    forge: "delete from public.wallet_transactions where id = $paid",
    drift: [],
    verified: ["orphaned"],
  },
  "a running balance changed": {
    forge: "update public.wallet_entries set balance = 7 where account_id = $driver",
    drift: [],
    verified: ["chain"],
  },
  "a version changed": {
    forge: "update public.wallet_entries set version = version + 1 where transaction_id = $paid",
    drift: [],
    verified: ["chain", "version"],
  },
};

for (const [name, { forge, drift, verified }] of Object.entries(FORGERIES)) {
  Deno.test(`a forgery is found: ${name}`, async () => {
    const superuser = connect(database.superuserUrl);
    try {
      await superuser.begin(async (sql) => {
        const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
        await hold(sql, rider, 10);
        const paid = await post(sql, "transfer", [[rider, -100], [driver, 100]]);
        await post(sql, "transfer", [[rider, -1], [await openWallet(sql), 1]]);
        await sql`set local session_replication_role = replica`;
        const ids: Record<string, string> = { rider, driver, paid };
        await sql.unsafe(forge.replace(/\$(\w+)/g, (_, name) => `'${ids[name]}'`)).simple();
        await sql`set local session_replication_role = origin`;

        assertEquals(await problems(sql), drift);
        await verify(sql);
        assertEquals(await problems(sql), verified);
        throw new Error("undone");
      });
    } catch (error) {
      if ((error as Error).message !== "undone") throw error;
    } finally {
      await superuser.end();
    }
  });
}

async function problems(sql: TransactionSql): Promise<string[]> {
  return [...new Set(await driftOf(sql))].sort();
}

async function verify(sql: TransactionSql): Promise<number> {
  const [row] = await sql`select private.verify_wallet_ledger()::int as count`;
  return row!.count;
}
