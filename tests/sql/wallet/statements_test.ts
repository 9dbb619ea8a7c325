import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { asUser } from "../foundation/people.ts";
import { balanceOf, openOwnWallet, openWallet, platformAccount, post, refusalOf } from "./wallets.ts";

const database = await createTestDatabase();

interface Line {
  transaction_id: string;
  leg: number;
  amount: number;
  balance: number;
}

async function page(sql: TransactionSql, account: string, options: { after?: Line; newest?: boolean; size?: number }) {
  const { after, newest = false, size = 100 } = options;
  return await sql<Line[]>`
    select transaction_id, leg, amount::int, balance::int
    from public.wallet_statement(
      ${account}, after_transaction_id => ${after?.transaction_id ?? null}, after_leg => ${after?.leg ?? 0},
      max_count => ${size}, is_newest_first => ${newest}
    )`;
}

async function allPages(sql: TransactionSql, account: string, newest: boolean, size: number): Promise<Line[]> {
  const lines: Line[] = [];
  for (;;) {
    const next = await page(sql, account, { after: lines.at(-1), newest, size });
    if (next.length === 0) return lines;
    lines.push(...next);
  }
}

for (const code of ["a person's", "a sharded"]) {
  for (const size of [1, 3, 7]) {
    Deno.test(
      `pages of ${size} are one statement, forwards and backwards, of ${code} account`,
      rolledBack(database, async (sql) => {
        const rider = await openWallet(sql, { balance: 1_000 });
        const account = code === "a sharded" ? await platformAccount(sql, "fees") : await openWallet(sql);
        for (const amount of [10, 20, 30, 40, 50]) {
          await post(sql, "payment", [[rider, -amount], [account, amount], [account, -1], [rider, 1]]);
        }

        const whole = await page(sql, account, {});

        assertEquals(whole.length, 10);
        assertEquals(whole.at(-1)!.balance, 145);
        assertEquals(await allPages(sql, account, false, size), [...whole]);
        assertEquals(await allPages(sql, account, true, size), whole.toReversed());
      }),
    );
  }
}

Deno.test(
  "a statement closes: opening plus entries is closing, for every stretch of time",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [await openWallet(sql, { balance: 1_000 }), await openWallet(sql)];
    const times: Date[] = [];
    for (const amount of [10, 20, 30]) {
      times.push(await clock(sql));
      await post(sql, "transfer", [[rider, -amount], [driver, amount]]);
    }
    times.push(await clock(sql));

    for (const [index, since] of times.entries()) {
      for (const until of times.slice(index)) {
        const lines = await sql`select amount::int from public.wallet_statement(${rider}, ${since}, ${until})`;
        const sum = lines.reduce((sum, { amount }) => sum + amount, 0);
        assertEquals(await balanceOf(sql, rider, since) + sum, await balanceOf(sql, rider, until));
      }
    }
    assertEquals(await balanceOf(sql, driver, times[2]!), 30);
  }),
);

Deno.test(
  "wallet_balance() tells what an account had at any time, also before it had anything",
  rolledBack(database, async (sql) => {
    const rider = await openWallet(sql);

    assertEquals(await balanceOf(sql, rider, "2020-01-01Z"), 0);
    assertEquals(await balanceOf(sql, rider), 0);
    assertEquals(
      await refusalOf(sql, (sql) => balanceOf(sql, rider, "1960-01-01Z")),
      "invalid_argument",
    );
    assertEquals(await refusalOf(sql, (sql) => balanceOf(sql, crypto.randomUUID())), "wallet_account_not_found");
  }),
);

Deno.test(
  "statements are for the owner, operators and the service",
  rolledBack(database, async (sql) => {
    const [mine, other] = [await openOwnWallet(sql, 700), await openOwnWallet(sql, 900)];
    const read = (id: string) => (sql: TransactionSql) => page(sql, id, {});
    const csv = (id: string) => (sql: TransactionSql) =>
      sql`select public.wallet_statement_csv(${id}, now() - interval '1 day', now())`;

    assertEquals((await asUser(sql, mine.userId, read(mine.accountId))).length, 1);
    for (const attempt of [read(other.accountId), csv(other.accountId)]) {
      assertEquals(
        await refusalOf(sql, (sql) => asUser(sql, mine.userId, attempt)),
        "wallet_account_not_found",
      );
    }
    const operator = { app_metadata: { role: "operator" } };
    assertEquals((await asUser(sql, mine.userId, read(other.accountId), operator)).length, 1);
  }),
);

Deno.test(
  "wallet_statement_csv() has opening and closing, the currency's decimals, and no field that a spreadsheet would run",
  rolledBack(database, async (sql) => {
    const [rider, driver] = [
      await openWallet(sql, { balance: 10_000, currency: "USD" }),
      await openWallet(sql, { currency: "USD" }),
    ];
    for (const description of ['=HYPERLINK("http://evil")', "-2+3", "taxi, two\nseats", null]) {
      await sql`select public.wallet_transfer(${rider}, ${driver}, 1250, ${crypto.randomUUID()}, ${description})`;
    }

    const [row] = await sql`
      select public.wallet_statement_csv(${driver}, now() - interval '1 day', now() + interval '1 day') as csv`;

    const lines: string[] = row!.csv.split("\r\n");
    assertEquals(lines.length, 8);
    assertEquals(lines[0], "booked_at,effective_at,transaction_id,kind,description,amount,balance,currency");
    assertEquals(lines[1]!.endsWith(",,,opening,,,0.00,USD"), true);
    assertEquals(lines[2]!.endsWith(`,transfer,"'=HYPERLINK(""http://evil"")",12.50,12.50,USD`), true, lines[2]);
    assertEquals(lines[3]!.endsWith(`,transfer,'-2+3,12.50,25.00,USD`), true, lines[3]);
    assertEquals(lines[4]!.endsWith(`,transfer,"taxi, two\nseats",12.50,37.50,USD`), true, lines[4]);
    assertEquals(lines[6]!.endsWith(",,,closing,,,50.00,USD"), true);
  }),
);

Deno.test(
  "an entry tells when it happened, if that was before it was booked",
  rolledBack(database, async (sql) => {
    const rider = await openWallet(sql);
    const suspense = await platformAccount(sql, "suspense");
    const legs = JSON.stringify([{ account_id: rider, amount: 5 }, { account_id: suspense, amount: -5 }]);
    await sql`select public.wallet_adjust(${legs}::text::jsonb, 'found late', 'k', '2026-01-02T03:04:05Z')`;

    const [line] = await sql`select * from public.wallet_statement(${rider})`;

    assertEquals(line!.effective_at, new Date("2026-01-02T03:04:05Z"));
    assertEquals(line!.booked_at > line!.effective_at, true);
  }),
);

async function clock(sql: TransactionSql): Promise<Date> {
  const [row] =
    await sql`select date_trunc('milliseconds', clock_timestamp()) + interval '1 millisecond' as at, pg_sleep(0.003)`;
  return row!.at;
}
