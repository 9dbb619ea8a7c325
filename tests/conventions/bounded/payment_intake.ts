import type { TransactionSql } from "postgres";
import { expectPayment, ingest, openReceiver, PAYER, receive } from "../../sql/payment_intake/intake.ts";
import type { BoundedCalls } from "./case.ts";

/** Every call of the intake that ends at a partitioned table. */
export const PAYMENT_INTAKE: BoundedCalls = {
  "public.ingest_payment_event": async (sql) => {
    const payment = await expectPayment(sql, "paystack");
    await ingest(sql, { event_id: "unknown" });
    for (const event_id of ["e1", "e1", "e2"]) {
      await ingest(sql, { provider: "paystack", event_id, signal: { attempt_id: payment.attemptId } });
    }
    await receiveAll(sql);
  },
  "public.replay_payment_event": async (sql) => {
    await receiveAll(sql);
    await ingest(sql, { event_id: "unknown" });
    await sql`select public.replay_payment_event(id) from public.payment_webhook_events`;
  },
  "public.accept_momo_receipt": async (sql) => {
    await receiveAll(sql);
    await sql`select public.accept_momo_receipt(event_id, 'seen') from public.momo_receipts`;
  },
};

/** One receipt that is matched by its amount, one by its reference, one that is broken. */
async function receiveAll(sql: TransactionSql): Promise<void> {
  await openReceiver(sql);
  await expectPayment(sql, "momo_ussd", 500, PAYER);
  const { reference } = await expectPayment(sql, "momo_ussd", 1_000, PAYER);
  await receive(sql, { amount: 500, balance: 500 });
  await receive(sql, { message: reference, balance: 1_500 });
  await receive(sql, { balance: 99_000 });
}
