import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { driftOf, openWallet, platformAccount, refusalOf, standingOf } from "../wallet/wallets.ts";
import { create, pathOf, reviewsOf, signal, statusOf, suspenseOf } from "./payments.ts";

const database = await createTestDatabase();

Deno.test(
  "resolve_payment_review() gives money in suspense to a payment of that amount",
  rolledBack(database, async (sql) => {
    const { driver, review } = await mismatched(sql);
    const other = await create(sql, { to: driver, amount: 900 });

    await resolve(sql, review, "match", other.id);

    assertEquals([await statusOf(sql, other.id), await suspenseOf(sql)], ["succeeded", 0]);
    assertEquals((await standingOf(sql, driver))[0], 900);
    assertEquals(await driftOf(sql), []);
  }),
);

Deno.test(
  "resolve_payment_review() does not give it to a payment of another amount",
  rolledBack(database, async (sql) => {
    const { payment, review } = await mismatched(sql);

    const refusal = await refusalOf(sql, (sql) => resolve(sql, review, "match"));

    assertEquals(refusal, "invalid_argument");
    assertEquals([await statusOf(sql, payment), await suspenseOf(sql)], ["unknown", 900]);
  }),
);

for (const [resolution, code] of [["refund", "settlement:mtn_momo"], ["write_off", "losses"]] as const) {
  Deno.test(
    `resolve_payment_review() by ${resolution} empties suspense into ${code}, and the payment has failed`,
    rolledBack(database, async (sql) => {
      const { payment, review } = await mismatched(sql);
      const before = await balanceOfAll(sql, code);

      await resolve(sql, review, resolution);
      const again = await signal(sql, payment, { amount: 900 });

      assertEquals(await balanceOfAll(sql, code) - before, 900);
      assertEquals([await suspenseOf(sql), again.outcome], [0, "unchanged"]);
      assertEquals(await pathOf(sql, payment), ["pending", "unknown", "failed"]);
    }),
  );
}

Deno.test(
  "resolve_payment_review() dismisses nothing that lies in suspense",
  rolledBack(database, async (sql) => {
    const { review } = await mismatched(sql);

    assertEquals(await refusalOf(sql, (sql) => resolve(sql, review, "dismiss")), "invalid_argument");
  }),
);

Deno.test(
  "resolve_payment_review() decides once",
  rolledBack(database, async (sql) => {
    const { review } = await mismatched(sql);
    await resolve(sql, review, "refund");

    assertEquals(await refusalOf(sql, (sql) => resolve(sql, review, "write_off")), "review_decided");
    assertEquals(await suspenseOf(sql), 0);
  }),
);

Deno.test(
  "resolve_payment_review() settles a payment that nobody could tell of for days",
  rolledBack(database, async (sql) => {
    const driver = await openWallet(sql);
    const payment = await create(sql, { to: driver });
    await signal(sql, payment.id, { status: "unknown", amount: null });
    await sql`update public.payment_attempts set created_at = now() - interval '73 hours'`;
    await sql`select private.review_stuck_payments()`;
    const [review] = await reviewsOf(sql, payment.id);

    await resolve(sql, review!.id, "match");

    assertEquals([review!.kind, await statusOf(sql, payment.id)], ["stuck", "succeeded"]);
    assertEquals((await standingOf(sql, driver))[0], 1_000);
  }),
);

Deno.test(
  "resolve_payment_review() is for registered operators, and is audited",
  rolledBack(database, async (sql) => {
    const { review } = await mismatched(sql);
    const userId = await createUser(sql);
    const claims = { app_metadata: { role: "operator" } };

    const unregistered = await refusalOf(
      sql,
      (sql) => asUser(sql, userId, (sql) => resolve(sql, review, "refund"), claims),
    );
    await sql`insert into private.operators (user_id, reason) values (${userId}, 'tried')`;
    await asUser(sql, userId, (sql) => resolve(sql, review, "refund"), claims);

    const audited = await sql`
      select actor_identifier, metadata ->> 'resolution' as resolution from public.system_audit_logs
      where action = 'resolve_payment_review' and resource_id = ${review}`;
    assertEquals(unregistered, "operator_required");
    assertEquals([...audited], [{ actor_identifier: userId, resolution: "refund" }]);
  }),
);

Deno.test(
  "list_payment_reviews() shows operators what is open, and others nothing",
  rolledBack(database, async (sql) => {
    const { review } = await mismatched(sql);
    const userId = await createUser(sql);
    const list = (sql: TransactionSql) => sql`select id from public.list_payment_reviews()`;

    const rider = await refusalOf(sql, (sql) => asUser(sql, userId, list));
    const operator = await asUser(sql, userId, list, { app_metadata: { role: "operator" } });

    assertEquals(rider, "operator_required");
    assertEquals([...operator], [{ id: review }]);
  }),
);

/** A payment of 1,000 francs for which 900 came. */
async function mismatched(sql: TransactionSql): Promise<{ driver: string; payment: string; review: string }> {
  const driver = await openWallet(sql);
  const payment = await create(sql, { to: driver });
  await signal(sql, payment.id, { amount: 900 });
  const [review] = await reviewsOf(sql, payment.id);
  return { driver, payment: payment.id, review: review!.id };
}

async function resolve(
  sql: TransactionSql,
  review: string,
  resolution: string,
  transaction: string | null = null,
): Promise<void> {
  await sql`
    select public.resolve_payment_review(
      ${review}, ${resolution}::text::public.payment_review_resolution, 'looked into it', ${transaction}
    )`;
}

/** Of a platform's account, credits less debits. */
async function balanceOfAll(sql: TransactionSql, code: string): Promise<number> {
  const id = await platformAccount(sql, code);
  const [row] = await sql`select sum(balance)::float8 as balance from public.wallet_balances where account_id = ${id}`;
  return row!.balance;
}
