import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack, sqlStateOf } from "../../support/database.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { openOwnWallet, openWallet, refusalOf } from "../wallet/wallets.ts";
import { create, createAs, signal } from "./payments.ts";

const database = await createTestDatabase();

Deno.test(
  "people see their own transactions, and those of others do not exist",
  rolledBack(database, async (sql) => {
    const rider = await openOwnWallet(sql, 5_000);
    const driver = await openWallet(sql);
    const payment = await createAs(sql, rider.userId, { method: "wallet", to: driver });
    const stranger = (await openOwnWallet(sql)).userId;

    for (const [userId, seen] of [[rider.userId, [payment.id]], [stranger, []]] as const) {
      assertEquals(await listedBy(sql, userId), seen);
      const recent = await asUser(sql, userId, (sql) => sql`select id from public.user_recent_transactions`);
      assertEquals(recent.map(({ id }) => id), seen);
    }
    const refusal = await refusalOf(
      sql,
      (sql) => asUser(sql, stranger, (sql) => sql`select public.get_transaction(${payment.id})`),
    );
    assertEquals(refusal, "transaction_not_found");
    const operator = await createUser(sql);
    assertEquals(await listedBy(sql, operator, { app_metadata: { role: "operator" } }), [payment.id]);
  }),
);

Deno.test(
  "people pay from their own account alone",
  rolledBack(database, async (sql) => {
    const thief = await openOwnWallet(sql);
    const victim = await openWallet(sql, { balance: 5_000 });

    for (const wish of [{ method: "wallet", to: thief.accountId }, { type: "payout", phone: "+250788000001" }]) {
      const answer = await createAs(sql, thief.userId, { ...wish, from: victim });
      assertEquals(answer.code, "wallet_account_not_found");
    }
    const topUp = await createAs(sql, thief.userId, { type: "top_up", to: victim });
    assertEquals(topUp.code, "wallet_account_not_found");
  }),
);

Deno.test(
  "nobody has a phone asked for money again and again, whoever they are and however often they give it up",
  rolledBack(database, async (sql) => {
    const pests = [await openOwnWallet(sql), await openOwnWallet(sql)];
    const to = await openWallet(sql);
    const ask = (userId: string, phone: string) => createAs(sql, userId, { to, phone });

    for (let count = 0; count < 10; count++) {
      const { userId } = pests[count % 2]!;
      const { id } = await ask(userId, "+250788000001");
      await asUser(sql, userId, (sql) => sql`select public.cancel_transaction(${id})`);
    }

    for (const { userId } of pests) {
      assertEquals(await refusalOf(sql, () => ask(userId, "+250788000001")), "rate_limited");
      assertEquals((await ask(userId, "+250788000002")).status, "pending");
    }
    assertEquals((await create(sql, { to, phone: "+250788000001" })).status, "pending");
  }),
);

Deno.test(
  "nobody has one phone after the other asked for money",
  rolledBack(database, async (sql) => {
    const { userId } = await openOwnWallet(sql);
    const to = await openWallet(sql);
    const ask = (count: number) => createAs(sql, userId, { to, phone: `+2507880000${10 + count}` });

    for (let count = 0; count < 30; count++) await ask(count);

    assertEquals(await refusalOf(sql, () => ask(30)), "rate_limited");
    assertEquals((await createAs(sql, userId, { to, method: "card" })).status, "pending");
  }),
);

Deno.test(
  "clients read no number of a transaction, nor write one",
  rolledBack(database, async (sql) => {
    const { userId } = await openOwnWallet(sql);

    for (
      const statement of [
        "select phone from public.transactions",
        "select * from public.payment_attempts",
        "select * from public.transaction_events",
        "update public.transactions set status = 'succeeded'",
        "insert into public.payment_methods (kind) values ('card')",
        "update public.payment_methods set is_verified = true",
        "select phone from public.payment_methods",
        "select provider_token from public.payment_methods",
      ]
    ) {
      assertEquals(
        await sqlStateOf(sql, (sql) => asUser(sql, userId, (sql) => sql.unsafe(statement))),
        "42501",
        statement,
      );
    }
  }),
);

Deno.test(
  "add_payment_method() masks the number, and verifies the confirmed one alone",
  rolledBack(database, async (sql) => {
    const { userId } = await openOwnWallet(sql);
    const [profile] = await sql`select phone from public.profiles where user_id = ${userId}`;

    const own = await add(sql, userId, profile!.phone);
    const other = await add(sql, userId, "+250788000777");
    const again = await add(sql, userId, "+250788000777");

    assertEquals([own.is_verified, own.is_default], [true, true]);
    assertEquals([other.masked_number, other.is_verified, other.is_default, again.id], [
      "***777",
      false,
      false,
      other.id,
    ]);
    assertEquals("phone" in other || "provider_token" in other, false);
    const verified = await refusalOf(
      sql,
      (sql) => asUser(sql, userId, (sql) => sql`select public.verify_payment_method(${other.id}, true)`),
    );
    assertEquals(verified, "42501");
  }),
);

Deno.test(
  "one method is the default, and another one when it goes",
  rolledBack(database, async (sql) => {
    const { userId } = await openOwnWallet(sql);
    const [one, two] = [await add(sql, userId, "+250788000771"), await add(sql, userId, "+250788000772")];
    const defaults = async () =>
      (await asUser(sql, userId, (sql) => sql`select id from public.payment_methods where is_default`)).map(({ id }) =>
        id
      );

    const stranger = (await openOwnWallet(sql)).userId;
    const foreign = await refusalOf(
      sql,
      (sql) => asUser(sql, stranger, (sql) => sql`select public.remove_payment_method(${two.id})`),
    );
    await asUser(sql, userId, (sql) => sql`select public.set_default_payment_method(${two.id})`);
    const chosen = await defaults();
    await asUser(sql, userId, (sql) => sql`select public.remove_payment_method(${two.id})`);

    assertEquals([foreign, chosen, await defaults()], ["payment_method_not_found", [two.id], [one.id]]);
  }),
);

Deno.test(
  "erase_payment_data() forgets numbers and words, and leaves the books",
  rolledBack(database, async (sql) => {
    const { userId, accountId } = await openOwnWallet(sql);
    const ended = await createAs(sql, userId, { type: "top_up" });
    await signal(sql, ended.id);
    const open = await create(sql, { type: "top_up", to: accountId });
    await add(sql, userId, "+250788000771");
    const [profile] = await sql`select id from public.profiles where user_id = ${userId}`;

    const [erased] = await sql`select public.erase_payment_data(${profile!.id}) as count`;

    const phones = await sql`
      select stored.id, stored.amount::integer, stored.phone, attempt.phone as attempt_phone
      from public.transactions as stored join public.payment_attempts as attempt on attempt.transaction_id = stored.id
      order by stored.id`;
    assertEquals(erased!.count, 1);
    assertEquals([...phones], [
      { id: ended.id, amount: 1_000, phone: null, attempt_phone: null },
      { id: open.id, amount: 1_000, phone: "+250788999123", attempt_phone: "+250788999123" },
    ]);
    const [methods] = await sql`select count(*)::integer as count from public.payment_methods`;
    assertEquals(methods!.count, 0);
  }),
);

for (
  const [what, wish, code] of [
    ["a method that there is not", { method: "cheque" }, "payment_method_unavailable"],
    ["a method that is turned off", { method: "momo_ussd" }, "payment_method_unavailable"],
    ["a currency that the method does not take", { currency: "BIF" }, "payment_method_unavailable"],
    ["a top-up by wallet", { type: "top_up", method: "wallet" }, "payment_method_unavailable"],
    ["a payout to a card", { type: "payout", method: "card" }, "payment_method_unavailable"],
    ["less than the method takes", { amount: 99 }, "invalid_argument"],
    ["more than the method takes", { amount: 5_000_001 }, "invalid_argument"],
    ["an account of another currency", { currency: "EUR" }, "currency_mismatch"],
    ["no payee", { to: null }, "wallet_account_not_found"],
  ] as const
) {
  Deno.test(
    `create_transaction() refuses ${what}, and nothing is written`,
    rolledBack(database, async (sql) => {
      const to = await openWallet(sql);

      const answer = await create(sql, { to, ...wish });

      assertEquals(answer.code, code);
      const [row] = await sql`
        select (select count(*) from public.transactions) + (select count(*) from public.payment_attempts)
          + (select count(*) from public.transaction_keys) as count`;
      assertEquals(Number(row!.count), 0);
    }),
  );
}

Deno.test(
  "set_payment_channel() gives payers the code to dial",
  rolledBack(database, async (sql) => {
    const to = await openWallet(sql);
    const unset = await refusalOf(sql, (sql) => sql`select public.set_payment_channel('momo_ussd', true)`);
    await sql`select public.set_payment_channel('momo_ussd', true, '123456')`;

    const payment = await create(sql, { to, method: "momo_ussd" });

    assertEquals(unset, "payment_method_unavailable");
    assertEquals(payment.next_action, { type: "dial", ussd: "*182*8*1*123456*1000#" });
  }),
);

async function listedBy(sql: TransactionSql, userId: string, claims = {}): Promise<string[]> {
  const rows = await asUser(sql, userId, (sql) => sql`select public.list_transactions() ->> 'id' as id`, claims);
  return rows.map(({ id }) => id);
}

async function add(sql: TransactionSql, userId: string, phone: string) {
  const [row] = await asUser(
    sql,
    userId,
    (sql) => sql`select public.add_payment_method('mtn_momo', ${phone}) as method`,
  );
  return row!.method as { id: string; masked_number: string; is_verified: boolean; is_default: boolean };
}
