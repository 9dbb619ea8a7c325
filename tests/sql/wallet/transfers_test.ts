import { assertEquals, assertNotEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { createUser } from "../foundation/people.ts";
import {
  balanceOf,
  driftOf,
  openOwnWallet,
  openWallet,
  platformAccount,
  refusalOf,
  transfer,
  transferAs,
} from "./wallets.ts";

const database = await createTestDatabase();

Deno.test(
  "wallet_transfer() moves the amount once, however often it is called",
  rolledBack(database, async (sql) => {
    const rider = await openWallet(sql, { balance: 1_000 });
    const driver = await openWallet(sql);

    const first = await transfer(sql, rider, driver, 700, "fare-1");
    const second = await transfer(sql, rider, driver, 700, "fare-1");

    assertEquals(second, first);
    assertEquals([first.amount, first.balance], [-700, 300]);
    assertEquals([await balanceOf(sql, rider), await balanceOf(sql, driver)], [300, 700]);
    assertEquals(await driftOf(sql), []);
  }),
);

Deno.test(
  "wallet_transfer() moves nothing twice, however late, and knows another request under its key",
  rolledBack(database, async (sql) => {
    const rider = await openWallet(sql, { balance: 1_000 });
    const driver = await openWallet(sql);
    const first = await transfer(sql, rider, driver, 700, "fare-1");

    await sql`delete from public.idempotency_keys`;
    const later = await transfer(sql, rider, driver, 700, "fare-1");
    const other = await refusalOf(sql, (sql) => transfer(sql, rider, driver, 100, "fare-1"));
    const last = await transfer(sql, rider, driver, 700, "fare-1");

    assertEquals([later, last], [first, first]);
    assertEquals(other, "idempotency_key_reused");
    assertEquals(await balanceOf(sql, rider), 300);
  }),
);

Deno.test(
  "wallet_transfer() gives the first answer again, although the fee has changed since",
  rolledBack(database, async (sql) => {
    const rider = await openWallet(sql, { balance: 1_000 });
    const driver = await openWallet(sql);
    const first = await transfer(sql, rider, driver, 700, "fare-1");

    await sql`select public.set_wallet_fee('transfer', 'RWF', 'sender', 100)`;
    await sql`delete from public.idempotency_keys`;

    assertEquals(await transfer(sql, rider, driver, 700, "fare-1"), first);
    assertEquals(await balanceOf(sql, rider), 300);
  }),
);

Deno.test(
  "wallet_transfer() keeps a refusal: money that comes later does not change the answer",
  rolledBack(database, async (sql) => {
    const rider = await openWallet(sql, { balance: 500 });
    const driver = await openWallet(sql);

    const refused = await transfer(sql, rider, driver, 700, "fare-1");
    await transfer(sql, await openWallet(sql, { balance: 900 }), rider, 900);

    assertEquals(refused.code, "insufficient_funds");
    assertEquals((await transfer(sql, rider, driver, 700, "fare-1")).code, "insufficient_funds");
    assertEquals(await balanceOf(sql, rider), 1_400);
    assertEquals((await transfer(sql, rider, driver, 700, "fare-2")).balance, 700);
  }),
);

Deno.test(
  "wallet_transfer() takes the last franc, and not one more",
  rolledBack(database, async (sql) => {
    const rider = await openWallet(sql, { balance: 700 });
    const driver = await openWallet(sql);

    assertEquals((await transfer(sql, rider, driver, 701)).code, "insufficient_funds");
    assertEquals((await transfer(sql, rider, driver, 700)).balance, 0);
    assertEquals((await transfer(sql, rider, driver, 1)).code, "insufficient_funds");
  }),
);

for (const amount of ["0", "-1", "9007199254740992", "9223372036854775807", "-9223372036854775808"]) {
  Deno.test(
    `wallet_transfer() refuses an amount of ${amount}`,
    rolledBack(database, async (sql) => {
      const [rider, driver] = [await openWallet(sql, { balance: 700 }), await openWallet(sql)];

      assertEquals(await refusalOf(sql, (sql) => transfer(sql, rider, driver, amount)), "invalid_argument");
    }),
  );
}

for (const amount of ["NaN", "Infinity", "-Infinity", "0.5", "1e3", "9223372036854775808", "1 000", ""]) {
  Deno.test(
    `an amount cannot be ${amount || "empty"}: it is no bigint`,
    rolledBack(database, async (sql) => {
      const [rider, driver] = [await openWallet(sql, { balance: 700 }), await openWallet(sql)];

      const state = await refusalOf(
        sql,
        (sql) => sql.unsafe(`select public.wallet_transfer('${rider}', '${driver}', '${amount}', 'key')`),
      );

      assertEquals(["22P02", "22003"].includes(state), true, state);
    }),
  );
}

Deno.test(
  "wallet_transfer() refuses a transfer to itself and one between currencies",
  rolledBack(database, async (sql) => {
    const rider = await openWallet(sql, { balance: 700 });
    const foreigner = await openWallet(sql, { currency: "USD" });

    assertEquals(await refusalOf(sql, (sql) => transfer(sql, rider, rider, 1)), "invalid_argument");
    assertEquals((await transfer(sql, rider, foreigner, 1)).code, "currency_mismatch");
    assertEquals(await balanceOf(sql, rider), 700);
  }),
);

Deno.test(
  "wallet_transfer() pays from one's own account only, whoever's it is said to be",
  rolledBack(database, async (sql) => {
    const { userId, accountId } = await openOwnWallet(sql, 700);
    const other = await openOwnWallet(sql, 700);
    const stranger = await createUser(sql);

    assertEquals((await transferAs(sql, userId, other.accountId, accountId, 1)).code, "wallet_account_not_found");
    assertEquals((await transferAs(sql, stranger, accountId, other.accountId, 1)).code, "wallet_account_not_found");
    assertEquals((await transferAs(sql, userId, accountId, crypto.randomUUID(), 1)).code, "wallet_account_not_found");
    assertEquals((await transferAs(sql, userId, accountId, other.accountId, 1)).balance, 699);
  }),
);

Deno.test(
  "wallet_transfer() does not let people pay into the platform's own accounts",
  rolledBack(database, async (sql) => {
    const { userId, accountId } = await openOwnWallet(sql, 700);
    const fees = await platformAccount(sql, "fees");

    assertEquals((await transferAs(sql, userId, accountId, fees, 1)).code, "wallet_account_not_found");
    assertEquals((await transfer(sql, accountId, fees, 1)).balance, 699);
  }),
);

Deno.test(
  "one key of two people is two keys",
  rolledBack(database, async (sql) => {
    const [one, two] = [await openOwnWallet(sql, 700), await openOwnWallet(sql, 700)];

    const first = await transferAs(sql, one.userId, one.accountId, two.accountId, 50, "rent");
    const second = await transferAs(sql, two.userId, two.accountId, one.accountId, 50, "rent");

    assertNotEquals(second.transaction_id, first.transaction_id);
    assertEquals(await balanceOf(sql, one.accountId), 700);
  }),
);

Deno.test(
  "a transfer tells its sender their balance, not the receiver's",
  rolledBack(database, async (sql) => {
    const { userId, accountId } = await openOwnWallet(sql, 700);
    const rich = await openWallet(sql, { balance: 123_456 });

    const answer = await transferAs(sql, userId, accountId, rich, 100);

    assertEquals(answer.balance, 600);
    assertEquals(JSON.stringify(answer).includes("123556"), false);
  }),
);
