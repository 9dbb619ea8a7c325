import { assertEquals } from "@std/assert";
import { connect } from "../../../scripts/stack/connection.ts";
import { createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { balanceOf, driftOf, openWallet, platformAccount, post, refusalOf } from "./wallets.ts";

const database = await createTestDatabase();

Deno.test(
  "post_wallet_transaction() books any number of legs, several on one account too",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const [fees, commission] = [await platformAccount(sql, "fees"), await platformAccount(sql, "commission")];

    const id = await post(sql, "payment", [
      [rider, -900],
      [driver, 900],
      [driver, -90],
      [commission, 90],
      [rider, -20],
      [fees, 20],
    ]);

    const entries = await sql`select account_id, amount::int from public.wallet_entries where transaction_id = ${id}`;
    assertEquals(entries.length, 6);
    assertEquals(
      [await balanceOf(sql, rider), await balanceOf(sql, driver), await balanceOf(sql, fees)],
      [80, 810, 20],
    );
    assertEquals(await driftOf(sql), []);
  }),
);

Deno.test(
  "an account is given before it is taken from, and all legs of a sharded one meet one shard",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const fees = await platformAccount(sql, "fees");
    for (let time = 0; time < 5; time++) {
      const id = await post(sql, "payment", [[driver, -90], [fees, 60], [rider, -100], [driver, 100], [fees, 30]]);

      const [row] = await sql`
        select count(distinct shard)::int as shards from public.wallet_entries
        where transaction_id = ${id} and account_id = ${fees}`;
      assertEquals(row!.shards, 1);
    }

    assertEquals([await balanceOf(sql, driver), await balanceOf(sql, fees)], [50, 450]);
  }),
);

Deno.test(
  "an account's entries have versions without gaps and a running balance, in the order of their ids",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    for (const amount of [100, 200, 300]) await post(sql, "transfer", [[rider, -amount], [driver, amount]]);

    const entries = await sql`
      select version::int, amount::int, balance::int from public.wallet_entries
      where account_id = ${rider} order by transaction_id`;

    assertEquals(entries.map((entry) => [entry.version, entry.amount, entry.balance]), [
      [1, 1_000, 1_000],
      [2, -100, 900],
      [3, -200, 700],
      [4, -300, 400],
    ]);
  }),
);

Deno.test(
  "ids rise along an account although the clock goes back",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    await sql`update public.wallet_balances set last_entry_at = now() + interval '1 minute' where account_id = ${driver}`;

    const ids = [
      await post(sql, "transfer", [[rider, -1], [driver, 1]]),
      await post(sql, "transfer", [[rider, -1], [driver, 1]]),
      await post(sql, "transfer", [[rider, -1], [await openWallet(sql), 1]]),
    ];

    assertEquals(ids.toSorted(), ids);
    const [row] = await sql`
      select bool_and(last_entry_at > now() + interval '1 minute') as is_ahead
      from public.wallet_balances where account_id in (${rider}, ${driver})`;
    assertEquals(row!.is_ahead, true);
  }),
);

Deno.test(
  "legs that do not balance are refused, each currency for itself",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const [francs, dollars] = [await platformAccount(sql, "exchange"), await platformAccount(sql, "exchange", "USD")];
    const traveller = await openWallet(sql, { currency: "USD" });

    assertEquals(
      await refusalOf(sql, (sql) => post(sql, "transfer", [[rider, -5], [driver, 6]])),
      "wallet_legs_unbalanced",
    );
    assertEquals(
      await refusalOf(sql, (sql) => post(sql, "exchange", [[rider, -5], [traveller, 5]])),
      "currency_mismatch",
    );
    for (const last of [driver, francs]) {
      assertEquals(
        await refusalOf(sql, (sql) => post(sql, "exchange", [[rider, -5], [traveller, 3], [last, 2]])),
        "currency_mismatch",
      );
    }
    await post(sql, "exchange", [[rider, -700], [francs, 700], [dollars, -50], [traveller, 50]]);

    assertEquals([await balanceOf(sql, rider), await balanceOf(sql, traveller)], [300, 50]);
    assertEquals(await driftOf(sql), []);
  }),
);

for (const legs of [0, 1]) {
  Deno.test(
    `a transaction of ${legs} legs is refused`,
    rolledBack(database, async (sql) => {
      const rider = await openWallet(sql, { balance: 1_000 });

      assertEquals(
        await refusalOf(sql, (sql) => post(sql, "transfer", [[rider, -5] as const].slice(0, legs))),
        "wallet_legs_unbalanced",
      );
    }),
  );
}

Deno.test(
  "a leg of nothing is refused",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql), await openWallet(sql)];

    assertEquals(await sqlStateOf(sql, (sql) => post(sql, "transfer", [[rider, 0], [driver, 0]])), "23000");
  }),
);

Deno.test(
  "the same reference posts once, and is refused for anything else",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];

    const first = await post(sql, "transfer", [[rider, -5], [driver, 5]], "payment-1");

    assertEquals(await post(sql, "transfer", [[rider, -5], [driver, 5]], "payment-1"), first);
    assertEquals(
      await refusalOf(sql, (sql) => post(sql, "transfer", [[rider, -6], [driver, 6]], "payment-1")),
      "idempotency_key_reused",
    );
    assertEquals(await balanceOf(sql, rider), 995);
  }),
);

Deno.test(
  "amounts at the edge of what JSON keeps exact are exact, and none goes beyond",
  rolledBack(database, async (sql) => {
    const [rich, other] = [await platformAccount(sql, "capital"), await platformAccount(sql, "losses")];
    const most = "9007199254740991";

    await post(sql, "adjustment", [[rich, most], [other, `-${most}`]]);
    const [row] = await sql`select balance::text from public.wallet_balance(${rich})`;

    assertEquals(row!.balance, most);
    assertEquals(
      await refusalOf(sql, (sql) => post(sql, "adjustment", [[rich, 1], [other, -1]])),
      "wallet_balance_too_high",
    );
    assertEquals(
      await refusalOf(
        sql,
        (sql) => post(sql, "adjustment", [[rich, "9223372036854775807"], [other, "-9223372036854775807"]]),
      ),
      "22003",
    );
  }),
);

const UNBALANCED: Record<string, string> = {
  "a sum that is not zero":
    "(gen_random_uuid(), $1, 0, 1, 'RWF', 5, 5, 9), (gen_random_uuid(), $2, 0, 2, 'RWF', -5, 5, 9)",
  "one leg alone": "('01a204ec-d44e-785a-b953-060770745de0', $1, 0, 1, 'RWF', 5, 5, 9)",
  "a leg of nothing":
    "('01a204ec-d44e-785a-b953-060770745de0', $1, 0, 1, 'RWF', 0, 5, 9), ('01a204ec-d44e-785a-b953-060770745de0', $2, 0, 2, 'RWF', 0, 5, 9)",
  "another currency than the account's":
    "('01a204ec-d44e-785a-b953-060770745de0', $1, 0, 1, 'USD', 5, 5, 9), ('01a204ec-d44e-785a-b953-060770745de0', $2, 0, 2, 'USD', -5, 5, 9)",
  "a sum that is zero only across currencies":
    "('01a204ec-d44e-785a-b953-060770745de0', $1, 0, 1, 'RWF', 5, 5, 9), ('01a204ec-d44e-785a-b953-060770745de0', $3, 0, 2, 'USD', -5, 5, 9)",
};

for (const [name, values] of Object.entries(UNBALANCED)) {
  Deno.test(
    `no hand writes entries past the posting function: ${name}`,
    rolledBack(database, async (sql) => {
      const accounts = [await openWallet(sql), await openWallet(sql), await openWallet(sql, { currency: "USD" })];
      const used = accounts.filter((_, index) => values.includes(`$${index + 1}`));
      const numbered = accounts.reduce((text, _, index) => text.replaceAll(`$${index + 1}`, `§${index + 1}`), values);
      const filled = accounts.reduce((text, id, index) => text.replaceAll(`§${index + 1}`, `'${id}'`), numbered);

      const state = await sqlStateOf(sql, (sql) =>
        sql.unsafe(`
          insert into public.wallet_entries (transaction_id, account_id, shard, leg, currency, amount, balance, version)
          values ${filled}`));

      assertEquals(used.length > 0, true);
      assertEquals(state, "23000");
    }),
  );
}

const TABLES = [
  "wallet_transactions",
  "wallet_entries",
  "wallet_transaction_keys",
  "wallet_months",
  "wallet_balances",
  "wallet_accounts",
  "wallet_holds",
  "wallet_refunds",
];
const RECORDS = ["wallet_transactions", "wallet_entries", "wallet_transaction_keys", "wallet_months"];

Deno.test("the ledger is immutable for every role, its owner and the superuser included", async () => {
  const sql = connect(database.url);
  const superuser = connect(database.superuserUrl);
  const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
  await post(sql, "transfer", [[rider, -5], [driver, 5]]);

  for (const [who, connection] of Object.entries({ owner: sql, superuser })) {
    for (const table of RECORDS) {
      const [column] = await sql`
        select attname from pg_attribute where attrelid = ${`public.${table}`}::regclass and attnum = 1`;
      await assertRefused(connection, `update public.${table} set ${column!.attname} = ${column!.attname}`, who);
    }
    for (const table of TABLES.filter((table) => table !== "wallet_holds" && table !== "wallet_refunds")) {
      await assertRefused(connection, `delete from public.${table}`, who);
    }
    for (const table of TABLES) await assertRefused(connection, `truncate public.${table} cascade`, who);
  }
  for (const role of ["anon", "authenticated", "service_role"]) {
    for (const table of TABLES) {
      for (const verb of [`delete from public.${table}`, `insert into public.${table} default values`]) {
        await assertRefused(sql, `set local role ${role}; ${verb}`, role);
      }
    }
  }
  await Promise.all([sql.end(), superuser.end()]);
});

async function assertRefused(sql: ReturnType<typeof connect>, statement: string, who: string): Promise<void> {
  const code = await sql.begin((sql) => sql.unsafe(statement).simple()).then(() => "00000", (error) => error.code);
  assertEquals(code, "42501", `${who}: ${statement}`);
}
