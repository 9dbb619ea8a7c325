import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { asUser, createUser } from "../foundation/people.ts";
import { openOwnWallet, openWallet, refusalOf, standingOf } from "../wallet/wallets.ts";
import { attemptOf, create, createAs, refund, signal, start, statusOf, suspenseOf } from "./payments.ts";

const database = await createTestDatabase();

Deno.test(
  "create_refund() gives a wallet payment back at once, in parts",
  rolledBack(database, async (sql) => {
    const rider = await openOwnWallet(sql, 5_000);
    const driver = await openWallet(sql);
    const payment = await createAs(sql, rider.userId, { method: "wallet", to: driver });

    const first = await refund(sql, payment.id, 400);
    const rest = await refund(sql, payment.id);
    const nothing = await refund(sql, payment.id, 1);

    assertEquals([first.status, rest.amount, nothing.code], ["succeeded", 600, "wallet_refund_exceeded"]);
    assertEquals([(await standingOf(sql, rider.accountId))[0], (await standingOf(sql, driver))[0]], [5_000, 0]);
  }),
);

Deno.test(
  "create_refund() of all of a wallet payment gives its fee back as well",
  rolledBack(database, async (sql) => {
    await sql`select public.set_wallet_fee('payment', 'RWF', 'sender', 200)`;
    const rider = await openOwnWallet(sql, 5_000);
    const driver = await openWallet(sql);
    const payment = await createAs(sql, rider.userId, { method: "wallet", to: driver });
    const paid = (await standingOf(sql, rider.accountId))[0];

    await refund(sql, payment.id);

    assertEquals([paid, (await standingOf(sql, rider.accountId))[0], (await standingOf(sql, driver))[0]], [
      3_980,
      5_000,
      0,
    ]);
  }),
);

Deno.test(
  "a payment through a provider brings the amount, and the payee bears the fee",
  rolledBack(database, async (sql) => {
    await sql`select public.set_wallet_fee('payment', 'RWF', 'sender', 200)`;

    const { driver } = await paid(sql);

    assertEquals((await standingOf(sql, driver))[0], 980);
  }),
);

Deno.test(
  "create_refund() is audited once, however often it is asked for",
  rolledBack(database, async (sql) => {
    const { payment } = await paid(sql);

    for (let time = 0; time < 2; time++) await refund(sql, payment, 10, "refund-1");

    const audited = await sql`select id from public.system_audit_logs where action = 'create_refund'`;
    assertEquals(audited.length, 1);
  }),
);

Deno.test(
  "create_refund() through a provider sets aside, and captures when the provider has given back",
  rolledBack(database, async (sql) => {
    const { driver, payment } = await paid(sql);

    const answer = await refund(sql, payment, 600);
    const held = await standingOf(sql, driver);
    await signal(sql, answer.id, { amount: null, currency: null });
    await signal(sql, answer.id, { amount: null, currency: null });

    assertEquals([answer.status, held], ["pending", [1_000, 600, 400]]);
    assertEquals([await statusOf(sql, answer.id), await standingOf(sql, driver)], ["succeeded", [400, 0, 400]]);
  }),
);

Deno.test(
  "create_refund() that the provider refuses frees the money, and may be asked for again",
  rolledBack(database, async (sql) => {
    const { driver, payment } = await paid(sql);
    const first = await refund(sql, payment);

    const meanwhile = await refund(sql, payment, 1);
    await signal(sql, first.id, { status: "failed", failure_code: "rejected" });
    const second = await refund(sql, payment);

    assertEquals([meanwhile.code, second.status], ["wallet_refund_exceeded", "pending"]);
    assertEquals(await standingOf(sql, driver), [1_000, 1_000, 0]);
  }),
);

Deno.test(
  "create_refund() that is refused moves nothing",
  rolledBack(database, async (sql) => {
    const { driver, payment } = await paid(sql);
    const other = await openWallet(sql);
    await sql`select public.wallet_transfer(${driver}, ${other}, 800, 'spent')`;

    const answer = await refund(sql, payment);

    const [original] = await sql`select refunded_amount::float8 from public.transactions where id = ${payment}`;
    assertEquals([answer.code, original!.refunded_amount], ["insufficient_funds", 0]);
    assertEquals(await standingOf(sql, driver), [200, 0, 200]);
  }),
);

Deno.test(
  "a refund that succeeds after it had failed, when its room is taken, waits for a person",
  rolledBack(database, async (sql) => {
    const { payment } = await paid(sql);
    const first = await refund(sql, payment);
    await signal(sql, first.id, { status: "failed", provider_id: "refund-1" });
    const second = await refund(sql, payment);
    await signal(sql, second.id, { provider_id: "refund-2" });

    const { outcome } = await signal(sql, first.id, { provider_id: "refund-1" });

    assertEquals([outcome, await statusOf(sql, first.id)], ["review", "unknown"]);
    assertEquals(await suspenseOf(sql), -1_000);
  }),
);

for (const [resolution, status, refunded] of [["match", "succeeded", 1_000], ["refund", "failed", 0]] as const) {
  Deno.test(
    `a late refund that waited for a person, decided as ${resolution}, counts as what it is`,
    rolledBack(database, async (sql) => {
      const { payment } = await paid(sql);
      const first = await refund(sql, payment);
      await signal(sql, first.id, { status: "failed", provider_id: "refund-1" });
      const second = await refund(sql, payment);
      await signal(sql, first.id, { provider_id: "refund-1" });
      await signal(sql, second.id, { status: "failed", provider_id: "refund-2" });

      await sql`
        select public.resolve_payment_review(review.id, ${resolution}::text::public.payment_review_resolution, 'looked into it')
        from public.payment_reviews as review where review.transaction_id = ${first.id}`;

      const [original] = await sql`select refunded_amount::float8 from public.transactions where id = ${payment}`;
      assertEquals([await statusOf(sql, first.id), original!.refunded_amount], [status, refunded]);
      assertEquals(await suspenseOf(sql), 0);
    }),
  );
}

Deno.test(
  "start_payment_attempt() tells a refund's client which attempt it gives back",
  rolledBack(database, async (sql) => {
    const { payment } = await paid(sql);
    const original = await attemptOf(sql, payment);

    const { attempt } = await start(sql, (await refund(sql, payment)).id);

    assertEquals([attempt!.original_attempt_id, attempt!.original_provider_id], [original.id, original.provider_id]);
  }),
);

Deno.test(
  "create_refund() is for registered operators and the service",
  rolledBack(database, async (sql) => {
    const { payment } = await paid(sql);
    const userId = await createUser(sql);
    const claims = { app_metadata: { role: "operator" } };

    const asRider = await refusalOf(sql, (sql) => asUser(sql, userId, (sql) => refund(sql, payment)));
    const unregistered = await refusalOf(sql, (sql) => asUser(sql, userId, (sql) => refund(sql, payment), claims));
    await sql`insert into private.operators (user_id, reason) values (${userId}, 'tried')`;
    const registered = await asUser(sql, userId, (sql) => refund(sql, payment), claims);

    assertEquals([asRider, unregistered, registered.status], ["operator_required", "operator_required", "pending"]);
  }),
);

Deno.test(
  "a payout is captured when the provider has paid, even late, and freed when it could not",
  rolledBack(database, async (sql) => {
    const driver = await openOwnWallet(sql, 5_000);
    const wish = { type: "payout", phone: "+250788000001" };
    const [paid, failed] = [await createAs(sql, driver.userId, wish), await createAs(sql, driver.userId, wish)];

    await signal(sql, paid.id);
    await signal(sql, failed.id, { status: "failed", failure_code: "payee_not_found" });
    const between = await standingOf(sql, driver.accountId);
    await signal(sql, failed.id);

    assertEquals(between, [4_000, 0, 4_000]);
    assertEquals(await standingOf(sql, driver.accountId), [3_000, 0, 3_000]);
  }),
);

/** A driver who was paid 1,000 francs by MTN MoMo. */
async function paid(sql: TransactionSql): Promise<{ driver: string; payment: string }> {
  const driver = await openWallet(sql);
  const { id } = await create(sql, { to: driver });
  await signal(sql, id);
  return { driver, payment: id };
}
