import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { capture, deposit, hold, openWallet, refund, transfer } from "./wallets.ts";

const database = await createTestDatabase();

/** Two wallets of a tier that may spend 100 at once, 250 in a day by 4 payments, 500 in a month by 6, and have 1,000. */
async function limited(sql: TransactionSql): Promise<[string, string]> {
  await sql`select public.set_wallet_limit('tried', 'RWF', 100, 250, 4, 500, 6, 1000)`;
  const [rider, driver] = [await openWallet(sql, { tier: "tried" }), await openWallet(sql, { tier: "tried" })];
  await deposit(sql, rider, 1_000);
  return [rider, driver];
}

async function limitOf(answer: Promise<{ code?: string; details?: string }>): Promise<string> {
  const { code, details } = await answer;
  return code === "wallet_limit_exceeded" ? JSON.parse(details!).limit : code ?? "accepted";
}

/** As if so many days had gone by. */
async function after(sql: TransactionSql, days: number): Promise<void> {
  await sql`update public.wallet_balances set spent_on = spent_on - ${days}::int`;
}

Deno.test(
  "a payment may not be larger than the tier's largest",
  rolledBack(database, async (sql) => {
    const [rider, driver] = await limited(sql);

    assertEquals(await limitOf(transfer(sql, rider, driver, 101)), "largest_amount");
    assertEquals(await limitOf(transfer(sql, rider, driver, 100)), "accepted");
  }),
);

Deno.test(
  "a day's amount is not exceeded, refused payments do not count, and the next day begins anew",
  rolledBack(database, async (sql) => {
    const [rider, driver] = await limited(sql);
    for (const amount of [100, 100]) await transfer(sql, rider, driver, amount);

    assertEquals(await limitOf(transfer(sql, rider, driver, 51)), "day_amount");
    assertEquals(await limitOf(transfer(sql, rider, driver, 50)), "accepted");
    assertEquals(await limitOf(transfer(sql, rider, driver, 1)), "day_amount");
    await after(sql, 1);
    assertEquals(await limitOf(transfer(sql, rider, driver, 1)), "accepted");
  }),
);

Deno.test(
  "a day's number of payments is not exceeded",
  rolledBack(database, async (sql) => {
    const [rider, driver] = await limited(sql);
    for (let time = 0; time < 4; time++) await transfer(sql, rider, driver, 1);

    assertEquals(await limitOf(transfer(sql, rider, driver, 1)), "day_count");
    assertEquals(await limitOf(hold(sql, rider, 1)), "day_count");
  }),
);

Deno.test(
  "a day that has begun counts for whoever comes with an earlier time",
  rolledBack(database, async (sql) => {
    const [rider, driver] = await limited(sql);
    await transfer(sql, rider, driver, 100);
    await hold(sql, rider, 100);
    await after(sql, -1);

    assertEquals(await limitOf(transfer(sql, rider, driver, 51)), "day_amount");
    assertEquals(await limitOf(hold(sql, rider, 51)), "day_amount");
    assertEquals(await limitOf(transfer(sql, rider, driver, 50)), "accepted");
    assertEquals(await limitOf(transfer(sql, rider, driver, 1)), "day_amount");
  }),
);

Deno.test(
  "fees count for no limit, neither the sender's nor the receiver's",
  rolledBack(database, async (sql) => {
    const [rider, driver] = await limited(sql);
    for (const payer of ["sender", "receiver"]) {
      await sql`select public.set_wallet_fee('transfer', 'RWF', ${payer}, 1000)`;
      await transfer(sql, rider, driver, 100);
    }

    assertEquals([await spentBy(sql, rider), await spentBy(sql, driver)], [[200, 2], [0, 0]]);
  }),
);

Deno.test(
  "what has come in from outside is booked although the account has its maximum",
  rolledBack(database, async (sql) => {
    const [rider] = await limited(sql);

    await deposit(sql, rider, 1);

    const rich = await openWallet(sql, { balance: 1 });
    assertEquals((await transfer(sql, rich, rider, 1)).code, "wallet_balance_too_high");
  }),
);

Deno.test(
  "a month's amount and number are not exceeded, and another month begins anew",
  rolledBack(database, async (sql) => {
    const [rider, driver] = await limited(sql);
    const sameDay = () =>
      sql`update public.wallet_balances set spent_today = 0, payments_today = 0 where account_id = ${rider}`;

    for (const amount of [100, 100, 100, 100, 99]) {
      assertEquals(await limitOf(transfer(sql, rider, driver, amount)), "accepted");
      await sameDay();
    }
    assertEquals(await limitOf(transfer(sql, rider, driver, 2)), "month_amount");
    assertEquals(await limitOf(transfer(sql, rider, driver, 1)), "accepted");
    await sql`select public.set_wallet_limit('tried', 'RWF', 100, 250, 4, 5000, 6, 1000)`;
    assertEquals(await limitOf(transfer(sql, rider, driver, 1)), "month_count");
    await after(sql, 31);
    assertEquals(await limitOf(transfer(sql, rider, driver, 1)), "accepted");
  }),
);

Deno.test(
  "an account of a tier has no more than its maximum, but what is paid back to it",
  rolledBack(database, async (sql) => {
    const [rider, driver] = await limited(sql);
    const { transaction_id } = await transfer(sql, rider, driver, 100);
    await deposit(sql, rider, 100);
    const rich = await openWallet(sql, { balance: 500 });

    assertEquals((await transfer(sql, rich, rider, 1)).code, "wallet_balance_too_high");
    assertEquals((await refund(sql, transaction_id!, 100)).code, undefined);
    assertEquals((await transfer(sql, rich, rider, 1)).code, "wallet_balance_too_high");
  }),
);

Deno.test(
  "a new maximum holds at once for all accounts of the tier; those that have more may still spend",
  rolledBack(database, async (sql) => {
    const [rider, driver] = await limited(sql);
    await sql`select public.set_wallet_limit('tried', 'RWF', 100, 250, 4, 500, 6, 50)`;

    assertEquals((await transfer(sql, rider, driver, 51)).code, "wallet_balance_too_high");
    assertEquals((await transfer(sql, rider, driver, 50)).balance, 950);
  }),
);

Deno.test(
  "a hold counts when it is made, not again when it is captured, and what is let go counts no longer",
  rolledBack(database, async (sql) => {
    const [rider, driver] = await limited(sql);
    const [one, two, three] = [
      await hold(sql, rider, 100, { to: driver }),
      await hold(sql, rider, 100),
      await hold(sql, rider, 50),
    ];

    assertEquals(await limitOf(transfer(sql, rider, driver, 1)), "day_amount");
    await capture(sql, one.id!, { amount: 40 });
    await sql`select public.wallet_release(${two.id!})`;
    assertEquals(await spentBy(sql, rider), [40 + 50, 2]);
    await sql`select public.wallet_release(${three.id!})`;
    assertEquals(await spentBy(sql, rider), [40, 1]);
    assertEquals(await limitOf(transfer(sql, rider, driver, 100)), "accepted");
  }),
);

Deno.test(
  "what is paid back or corrected counts for no limit",
  rolledBack(database, async (sql) => {
    const [rider, driver] = await limited(sql);
    const { transaction_id } = await transfer(sql, rider, driver, 100);
    const legs = JSON.stringify([{ account_id: driver, amount: -90 }, { account_id: rider, amount: 90 }]);
    await sql`select public.wallet_adjust(${legs}::text::jsonb, 'a correction', 'k')`;
    await deposit(sql, driver, 90);

    assertEquals(await spentBy(sql, driver), [0, 0]);
    assertEquals((await refund(sql, transaction_id!)).code, undefined);
    assertEquals(await spentBy(sql, driver), [0, 0]);
  }),
);

async function spentBy(sql: TransactionSql, account: string): Promise<[number, number]> {
  const [row] = await sql`
    select spent_today::int, payments_today from public.wallet_balances where account_id = ${account}`;
  return [row!.spent_today, row!.payments_today];
}
