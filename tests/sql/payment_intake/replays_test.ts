import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { statusOf, suspenseOf } from "../payments/payments.ts";
import { balanceOf, driftOf } from "../wallet/wallets.ts";
import { eventOf, expectPayment, expectUssd, ingest, openReceiver, PAYER, receive } from "./intake.ts";

const database = await createTestDatabase();

async function replayTwice(sql: TransactionSql, eventId: string): Promise<string[]> {
  const outcomes = [];
  const { id } = await eventOf(sql, eventId);
  for (let time = 0; time < 2; time++) {
    const [row] = await sql`select public.replay_payment_event(${id}) as answer`;
    outcomes.push(row!.answer.outcome);
  }
  return outcomes;
}

async function openReviews(sql: TransactionSql): Promise<number> {
  return (await sql`select from public.payment_reviews where status = 'open'`).length;
}

Deno.test(
  "a replay settles a receipt that was too much, once it no longer is",
  rolledBack(database, async (sql) => {
    await openReceiver(sql, { largest_amount: 999 });
    const payment = await expectUssd(sql);
    const { event_id } = await receive(sql);
    await sql`update public.momo_receivers set largest_amount = 1000`;

    assertEquals(await replayTwice(sql, event_id), ["applied", "applied"]);

    assertEquals([await statusOf(sql, payment.id), await openReviews(sql)], ["succeeded", 0]);
    assertEquals(await balanceOf(sql, payment.accountId), 1_000);
  }),
);

Deno.test(
  "a replay settles what a closed account could not take, once it is open again",
  rolledBack(database, async (sql) => {
    const payment = await expectPayment(sql, "paystack");
    await sql`select public.set_wallet_status(${payment.accountId}, 'closed', 'tried')`;
    const answer = await ingest(sql, {
      provider: "paystack",
      event_id: "e1",
      signal: { attempt_id: payment.attemptId },
    });
    assertEquals([answer.outcome, await suspenseOf(sql)], ["review", 1_000]);
    await sql`select public.set_wallet_status(${payment.accountId}, 'open', 'tried')`;

    assertEquals(await replayTwice(sql, "e1"), ["applied", "applied"]);

    assertEquals([await statusOf(sql, payment.id), await suspenseOf(sql), await openReviews(sql)], ["succeeded", 0, 0]);
    assertEquals([await balanceOf(sql, payment.accountId), await driftOf(sql)], [1_000, []]);
  }),
);

Deno.test(
  "a replay leaves another amount to a person",
  rolledBack(database, async (sql) => {
    const payment = await expectPayment(sql, "paystack");
    await ingest(sql, { provider: "paystack", event_id: "e1", signal: { attempt_id: payment.attemptId, amount: 900 } });

    assertEquals(await replayTwice(sql, "e1"), ["review", "review"]);

    assertEquals([await statusOf(sql, payment.id), await suspenseOf(sql), await openReviews(sql)], ["unknown", 900, 1]);
  }),
);

Deno.test(
  "a replay of what an unsigned callback told asks the provider again, and no more",
  rolledBack(database, async (sql) => {
    const payment = await expectPayment(sql, "mtn_momo", 1_000, PAYER);
    await ingest(sql, { provider: "mtn_momo", event_id: "e1", payload: { transaction_id: payment.id } });

    assertEquals(await replayTwice(sql, "e1"), ["unconfirmed", "unconfirmed"]);

    assertEquals(await statusOf(sql, payment.id), "pending");
  }),
);

Deno.test(
  "a later word of the provider takes unmatched money out of suspense",
  rolledBack(database, async (sql) => {
    const payment = await expectPayment(sql, "paystack");
    await ingest(sql, { provider: "paystack", event_id: "e1", signal: { provider_id: "ps_1" } });
    assertEquals(await suspenseOf(sql), 1_000);

    await ingest(sql, {
      provider: "paystack",
      event_id: "e2",
      signal: { provider_id: "ps_1", attempt_id: payment.attemptId },
    });

    assertEquals([await statusOf(sql, payment.id), await suspenseOf(sql), await openReviews(sql)], ["succeeded", 0, 0]);
  }),
);
