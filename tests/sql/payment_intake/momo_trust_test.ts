import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { statusOf, suspenseOf } from "../payments/payments.ts";
import { eventOf, expectUssd, ingest, openReceiver, receive, receiveText } from "./intake.ts";

const database = await createTestDatabase();

Deno.test(
  "a text of anybody but MTN counts for nothing, whatever it says",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const payment = await expectUssd(sql);

    const answer = await receive(sql, { sender: "+250788999999", message: payment.reference });

    assertEquals([answer.outcome, (await eventOf(sql, answer.event_id)).reason], ["ignored", "sender_not_trusted"]);
    assertEquals([await statusOf(sql, payment.id), await suspenseOf(sql)], ["pending", 0]);
  }),
);

Deno.test(
  "a receipt of a number that is not ours counts for nothing until it is known, and is judged then",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const payment = await expectUssd(sql);
    const answer = await receive(sql, { receiving_number: "+250788000099" });
    assertEquals([answer.outcome, (await eventOf(sql, answer.event_id)).reason], ["unmatched", "receiver_not_known"]);

    await sql`select public.set_momo_receiver('+250788000099')`;
    await sql`select public.replay_payment_event(id) from public.payment_webhook_events`;

    assertEquals([(await eventOf(sql, answer.event_id)).outcome, await statusOf(sql, payment.id)], [
      "applied",
      "succeeded",
    ]);
  }),
);

Deno.test(
  "receipts from before a number was ours are kept, and are for nothing",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);

    const answer = await receive(sql, { at: new Date(Date.now() - 2 * 86_400_000) });

    assertEquals([answer.outcome, (await eventOf(sql, answer.event_id)).reason], ["ignored", "before_our_time"]);
    assertEquals(await suspenseOf(sql), 0);
  }),
);

Deno.test(
  "a receipt above what a text message may settle goes to review, and nothing is booked",
  rolledBack(database, async (sql) => {
    await openReceiver(sql, { largest_amount: 999 });
    const payment = await expectUssd(sql);

    const answer = await receive(sql);

    const event = await eventOf(sql, answer.event_id);
    assertEquals([answer.outcome, event.reason, event.transaction_id], ["review", "above_limit", payment.id]);
    assertEquals([await statusOf(sql, payment.id), await suspenseOf(sql)], ["pending", 0]);
  }),
);

Deno.test(
  "receipts settle no more in a day than text messages may",
  rolledBack(database, async (sql) => {
    await openReceiver(sql, { largest_amount: 1_000, day_amount: 2_500 });
    const payments = [await expectUssd(sql), await expectUssd(sql), await expectUssd(sql)];

    const reasons = [];
    for (const [index, { reference }] of payments.entries()) {
      const answer = await receive(sql, { message: reference, balance: 1_000 * index + 1_000 });
      reasons.push((await eventOf(sql, answer.event_id)).reason);
    }

    assertEquals(reasons, [null, null, "above_day_limit"]);
  }),
);

Deno.test(
  "a text about money in words that are new to us is kept without its contents, and settles nothing",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    await expectUssd(sql);

    const answer = await receiveText(sql, "You have got 1000 RWF from Aline Uwase (*********001)");

    const { reason, payload } = await eventOf(sql, answer.event_id);
    assertEquals([answer.outcome, reason], ["unmatched", "unreadable"]);
    assertEquals(JSON.stringify(payload).includes("Aline"), false);
  }),
);

Deno.test(
  "a cash deposit names nobody, so that a person must look",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    await expectUssd(sql);
    const at = new Date(Date.now() + 7_200_000).toISOString().slice(0, 19).replace("T", " ");

    const answer = await receiveText(
      sql,
      `*113*R*A bank deposit of 1000 RWF has been added to your mobile money account at ${at}. Your NEW BALANCE :9000 RWF. ` +
        `Cash Deposit::CASH::::0::250788000001.Thank you for using MTN MobileMoney.*EN#`,
    );

    assertEquals([answer.outcome, await suspenseOf(sql)], ["unmatched", 1_000]);
  }),
);

Deno.test(
  "a copy of a receipt is one receipt, also where it has no id",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const text = "*165*S*500 RWF transferred to Aline Uwase (250788000001) from 36520000 at 2026-05-11 20:34:47 . " +
      "Fee was: 20 RWF. New balance: 480 RWF.*EN#";

    const answers = [await receiveText(sql, text), await receiveText(sql, text)];

    assertEquals(answers.map(({ duplicate, outcome }) => [duplicate, outcome]), [[false, "ignored"], [
      true,
      "ignored",
    ]]);
    assertEquals((await sql`select from public.momo_receipts`).length, 1);
  }),
);

Deno.test(
  "an event that says it is an SMS is nothing to us without a receiving number",
  rolledBack(database, async (sql) => {
    const answer = await ingest(sql, {
      provider: "momo_sms",
      payload: { sender: "M-Money" },
      signal: { evidence: "sms" },
    });

    assertEquals(answer.outcome, "unmatched");
  }),
);
