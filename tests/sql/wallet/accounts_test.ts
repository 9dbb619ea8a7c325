import { assertEquals, assertNotEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { MINOR_UNITS } from "../../../shared/money.ts";
import { asUser, createUser } from "../foundation/people.ts";
import {
  balanceOf,
  deposit,
  hold,
  openOwnWallet,
  openWallet,
  platformAccount,
  post,
  refusalOf,
  transfer,
  transferAs,
} from "./wallets.ts";

const database = await createTestDatabase();
const OPERATOR = { app_metadata: { role: "operator" } };

Deno.test(
  "currencies have the decimals that the edge writes them with",
  rolledBack(database, async (sql) => {
    const rows = await sql`select code, exponent from public.currencies order by code`;

    assertEquals(Object.fromEntries(rows.map(({ code, exponent }) => [code, exponent])), { ...MINOR_UNITS });
  }),
);

Deno.test(
  "open_wallet_account() opens one's own account once for each code and currency",
  rolledBack(database, async (sql) => {
    const user = await createUser(sql);
    await sql`insert into public.profiles (user_id) values (${user})`;

    const [first] = await asUser(sql, user, (sql) => sql`select * from public.open_wallet_account()`);
    const [again] = await asUser(sql, user, (sql) => sql`select * from public.open_wallet_account()`);
    const [other] = await asUser(sql, user, (sql) => sql`select * from public.open_wallet_account('USD')`);

    assertEquals(again!.id, first!.id);
    assertNotEquals(other!.id, first!.id);
    const { code, currency, type, normal_side, status, tier, minimum_balance } = first!;
    assertEquals([code, currency, type, normal_side, status, tier, minimum_balance], [
      "main",
      "RWF",
      "liability",
      "credit",
      "open",
      "basic",
      "0",
    ]);
  }),
);

Deno.test(
  "open_wallet_account() opens nothing for others, nor without a profile, nor in an unknown currency",
  rolledBack(database, async (sql) => {
    const user = await createUser(sql);
    const open = (currency: string, profile: string | null) =>
      refusalOf(
        sql,
        (sql) => asUser(sql, user, (sql) => sql`select public.open_wallet_account(${currency}, ${profile})`),
      );

    assertEquals(await open("RWF", null), "profile_not_found");
    await sql`insert into public.profiles (user_id) values (${user})`;
    const [other] = await sql`insert into public.profiles default values returning id`;

    assertEquals(await open("RWF", other!.id), "profile_not_found");
    assertEquals(await open("XXX", null), "invalid_argument");
    assertEquals(await open("rwf", null), "invalid_argument");
  }),
);

Deno.test(
  "owners see their accounts, balances and holds, and nobody else's",
  rolledBack(database, async (sql) => {
    const [mine, other] = [await openOwnWallet(sql, 700), await openOwnWallet(sql, 900)];
    await hold(sql, mine.accountId, 100);
    await hold(sql, other.accountId, 100);

    const seen = await asUser(sql, mine.userId, async (sql) => [
      [...await sql`select id from public.wallet_accounts`].map(({ id }) => id),
      [...await sql`select account_id from public.wallet_balances`].map(({ account_id }) => account_id),
      [...await sql`select account_id from public.wallet_holds`].map(({ account_id }) => account_id),
    ]);

    assertEquals(seen, [[mine.accountId], [mine.accountId], [mine.accountId]]);
    assertEquals(
      await refusalOf(sql, (sql) => asUser(sql, mine.userId, (sql) => balanceOf(sql, other.accountId))),
      "wallet_account_not_found",
    );
    assertEquals(await asUser(sql, mine.userId, (sql) => balanceOf(sql, other.accountId), OPERATOR), 900);
  }),
);

Deno.test(
  "get_platform_account() opens each account of the chart once, and no other",
  rolledBack(database, async (sql) => {
    const settlement = await platformAccount(sql, "settlement:mtn_momo");

    assertEquals(await platformAccount(sql, "settlement:mtn_momo"), settlement);
    assertNotEquals(await platformAccount(sql, "settlement:airtel"), settlement);
    assertNotEquals(await platformAccount(sql, "settlement:mtn_momo", "UGX"), settlement);
    assertEquals(await refusalOf(sql, (sql) => platformAccount(sql, "slush")), "wallet_account_not_found");
    assertEquals(await refusalOf(sql, (sql) => platformAccount(sql, "fees", "XXX")), "wallet_account_not_found");
  }),
);

Deno.test(
  "an asset grows by debits, and its balance is told as people count it",
  rolledBack(database, async (sql) => {
    await openWallet(sql, { balance: 1_000 });

    assertEquals(await balanceOf(sql, await platformAccount(sql, "settlement:test")), 1_000);
  }),
);

Deno.test(
  "a sharded account takes many payments side by side, and is one account to whoever asks",
  rolledBack(database, async (sql) => {
    const rider = await openWallet(sql, { balance: 1_000 });
    const fees = await platformAccount(sql, "fees");
    for (let time = 0; time < 30; time++) await post(sql, "transfer", [[rider, -10], [fees, 10]]);

    const [row] = await sql`
      select count(*)::int as shards, count(*) filter (where version > 0)::int as used
      from public.wallet_balances where account_id = ${fees}`;
    const lines = await sql`select balance::int from public.wallet_statement(${fees})`;

    assertEquals(row!.shards, 16);
    assertEquals(row!.used > 5, true);
    assertEquals(await balanceOf(sql, fees), 300);
    assertEquals(lines.map(({ balance }) => balance), Array.from({ length: 30 }, (_, index) => 10 * (index + 1)));
  }),
);

Deno.test(
  "nothing goes out of a frozen account, money comes in, and corrections pass",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const { transaction_id } = await transfer(sql, await openWallet(sql, { balance: 50 }), rider, 50);
    const { id } = await hold(sql, rider, 100, { to: driver });
    await sql`select public.set_wallet_status(${rider}, 'frozen', 'lost phone')`;

    assertEquals((await transfer(sql, rider, driver, 1)).code, "wallet_account_frozen");
    assertEquals((await hold(sql, rider, 1)).code, "wallet_account_frozen");
    const [captured] = await sql`select public.wallet_capture(${id!}, 'k') as answer`;
    assertEquals(captured!.answer.code, "wallet_account_frozen");
    await deposit(sql, rider, 500);
    const [refund] = await sql`select public.wallet_refund(${transaction_id!}, 'back') as answer`;
    assertEquals(refund!.answer.code, undefined);
    assertEquals(await balanceOf(sql, rider), 1_500);

    await sql`select public.set_wallet_status(${rider}, 'open', 'found')`;
    assertEquals((await transfer(sql, rider, driver, 1)).balance, 1_499);
  }),
);

Deno.test(
  "an account is closed when it is empty, and then nothing moves",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql, { balance: 10 })];
    const close = () => sql`select public.set_wallet_status(${rider}, 'closed', 'left')`;

    assertEquals(await refusalOf(sql, close), "wallet_account_not_empty");
    const { id } = await hold(sql, rider, 1_000);
    assertEquals(await refusalOf(sql, close), "wallet_account_not_empty");
    await sql`select public.wallet_release(${id!})`;
    await transfer(sql, rider, driver, 1_000);
    await close();

    assertEquals((await transfer(sql, driver, rider, 1)).code, "wallet_account_closed");
    assertEquals((await hold(sql, rider, 1)).code, "wallet_account_closed");
    await sql`select public.set_wallet_status(${rider}, 'open', 'came back')`;
    assertEquals((await transfer(sql, driver, rider, 1)).code, undefined);
  }),
);

Deno.test(
  "guards hold for whatever lessens or grows an account",
  rolledBack(database, async (sql) => {
    const [shop, rider] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql, { balance: 1_000 })];
    await sql`select public.set_wallet_guards(${shop}, 400, 1500)`;

    assertEquals((await transfer(sql, shop, rider, 601)).code, "insufficient_funds");
    assertEquals((await transfer(sql, rider, shop, 501)).code, "wallet_balance_too_high");
    assertEquals((await transfer(sql, rider, shop, 500)).code, undefined);
    assertEquals((await transfer(sql, shop, rider, 1_100)).code, undefined);
    assertEquals(
      await refusalOf(sql, () => sql`select public.set_wallet_guards(${shop}, 401)`),
      "wallet_guard_broken",
    );
    await sql`select public.set_wallet_guards(${shop}, -100)`;
    assertEquals((await transfer(sql, shop, rider, 500)).balance, -100);
    assertEquals((await transfer(sql, shop, rider, 1)).code, "insufficient_funds");
  }),
);

Deno.test(
  "a guard on an asset is on what it is worth, too",
  rolledBack(database, async (sql) => {
    const settlement = await platformAccount(sql, "exchange");
    const rider = await openWallet(sql);
    await sql`select public.set_wallet_guards(${settlement}, 0, 500)`;

    assertEquals(
      await refusalOf(sql, (sql) => post(sql, "deposit", [[settlement, -501], [rider, 501]])),
      "wallet_balance_too_high",
    );
    await post(sql, "deposit", [[settlement, -500], [rider, 500]]);
    await post(sql, "withdrawal", [[rider, -400], [settlement, 400]]);
    await deposit(sql, rider, 500);
    assertEquals(
      await refusalOf(sql, (sql) => post(sql, "withdrawal", [[rider, -101], [settlement, 101]])),
      "insufficient_funds",
    );
  }),
);

Deno.test(
  "only registered operators and the service set statuses, guards, tiers, limits and fees, and each change is audited",
  rolledBack(database, async (sql) => {
    const { userId, accountId } = await openOwnWallet(sql, 100);
    const calls = [
      `select public.set_wallet_status('${accountId}', 'frozen', 'because')`,
      `select public.set_wallet_guards('${accountId}', 10)`,
      `select public.set_wallet_tier('${accountId}', 'verified')`,
      `select public.set_wallet_limit('verified', 'RWF', 1, 2, 3, 4, 5, 6)`,
      `select public.set_wallet_fee('transfer', 'RWF', 'sender', 100)`,
    ];
    const before = await audited();
    for (const call of calls) {
      for (const claims of [{}, OPERATOR]) {
        assertEquals(
          await refusalOf(sql, (sql) => asUser(sql, userId, (sql) => sql.unsafe(call), claims)),
          "operator_required",
        );
      }
    }
    await sql`insert into private.operators (user_id, reason) values (${userId}, 'compliance')`;
    for (const call of calls) await asUser(sql, userId, (sql) => sql.unsafe(call), OPERATOR);

    assertEquals((await audited()).slice(before.length), [
      "update wallet_accounts status",
      "set_wallet_status wallet_accounts",
      "update wallet_accounts minimum_balance",
      "update wallet_accounts tier",
      "update wallet_limits day_amount,day_count,largest_amount,maximum_balance,month_amount,month_count",
      "insert wallet_fees",
    ]);

    async function audited(): Promise<string[]> {
      const rows = await sql`
        select action, resource_type, case action when 'update' then (
          select string_agg(name, ',' order by name) from jsonb_object_keys(new_data) as name
        ) end as names
        from public.system_audit_logs where resource_type like 'wallet%' order by id`;
      return rows.map((row) => [row.action, row.resource_type, row.names].filter(Boolean).join(" "));
    }
  }),
);

Deno.test(
  "balances are not audited: the ledger is their record",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 100 }), await openWallet(sql)];
    const count = () => sql`select count(*)::int as count from public.system_audit_logs`;
    const [before] = await count();

    await transfer(sql, rider, driver, 10);

    assertEquals((await count())[0]!.count, before!.count);
  }),
);

Deno.test(
  "a signed-in person can neither hold, capture nor release",
  rolledBack(database, async (sql) => {
    const { userId, accountId } = await openOwnWallet(sql, 100);

    for (
      const call of [
        `public.wallet_hold('${accountId}', 5, 'k')`,
        `public.wallet_capture('${accountId}', 'k')`,
        `public.wallet_release('${accountId}')`,
        `private.post_wallet_transaction('transfer', '{}', 's', 'r')`,
        `private.get_platform_account('fees', 'RWF')`,
        `private.idempotent('r', 'k', '{}', 'now()')`,
      ]
    ) {
      assertEquals(
        await refusalOf(sql, (sql) => asUser(sql, userId, (sql) => sql.unsafe(`select ${call}`))),
        "42501",
        call,
      );
    }
    assertEquals((await transferAs(sql, userId, accountId, await openWallet(sql), 5)).balance, 95);
  }),
);
