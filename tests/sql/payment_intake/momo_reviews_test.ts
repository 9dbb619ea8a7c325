import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { statusOf, suspenseOf } from "../payments/payments.ts";
import { balanceOf, refusalOf } from "../wallet/wallets.ts";
import { eventOf, expectUssd, openReceiver, receive } from "./intake.ts";

const database = await createTestDatabase();

Deno.test(
  "a person may settle by hand what a text message alone may not",
  rolledBack(database, async (sql) => {
    await openReceiver(sql, { largest_amount: 999 });
    const payment = await expectUssd(sql);
    const { review_id } = await eventOf(sql, (await receive(sql)).event_id);

    await sql`select public.resolve_payment_review(${review_id}, 'match', 'seen on the phone')`;

    assertEquals([await statusOf(sql, payment.id), await balanceOf(sql, payment.accountId)], ["succeeded", 1_000]);
  }),
);

Deno.test(
  "money in suspense goes to the payment that a person matches it with, and out of suspense",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const payment = await expectUssd(sql);
    const { review_id } = await eventOf(sql, (await receive(sql, { payer: "*********009" })).event_id);

    await sql`select public.resolve_payment_review(${review_id}, 'match', 'her brother paid', ${payment.id})`;

    assertEquals([await statusOf(sql, payment.id), await suspenseOf(sql)], ["succeeded", 0]);
    assertEquals(await balanceOf(sql, payment.accountId), 1_000);
  }),
);

Deno.test(
  "a replay takes money out of suspense once it is known whose it is, and changes nothing the second time",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const { event_id } = await receive(sql, { at: new Date(Date.now() + 60_000) });
    const payment = await expectUssd(sql);

    const { id } = await eventOf(sql, event_id);
    for (let time = 0; time < 2; time++) await sql`select public.replay_payment_event(${id})`;

    assertEquals([(await eventOf(sql, event_id)).outcome, await statusOf(sql, payment.id)], ["applied", "succeeded"]);
    assertEquals([await balanceOf(sql, payment.accountId), await suspenseOf(sql)], [1_000, 0]);
  }),
);

Deno.test(
  "a replay leaves what a person has decided",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const { event_id } = await receive(sql, { at: new Date(Date.now() + 60_000) });
    const { id, review_id } = await eventOf(sql, event_id);
    await sql`select public.resolve_payment_review(${review_id}, 'refund', 'sent back')`;
    const payment = await expectUssd(sql);

    await sql`select public.replay_payment_event(${id})`;

    assertEquals([(await eventOf(sql, event_id)).outcome, await statusOf(sql, payment.id)], ["unmatched", "pending"]);
  }),
);

Deno.test(
  "replay_payment_event() refuses an event that there is not",
  rolledBack(database, async (sql) => {
    const refusal = await refusalOf(sql, (sql) => sql`select public.replay_payment_event(${crypto.randomUUID()})`);

    assertEquals(refusal, "payment_event_not_found");
  }),
);
