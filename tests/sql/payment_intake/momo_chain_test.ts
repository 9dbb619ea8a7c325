import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { statusOf, suspenseOf } from "../payments/payments.ts";
import { balanceOf, refusalOf } from "../wallet/wallets.ts";
import { chainOf, eventOf, expectUssd, openReceiver, receive, RECEIVER, receiveText } from "./intake.ts";

const database = await createTestDatabase();
const START = Date.now();

/** A receipt so many seconds into the test, after which the account has so much. */
function receiveAt(
  sql: TransactionSql,
  second: number,
  amount: number,
  balance: number,
  options: Record<string, string> = {},
) {
  return receive(sql, { at: new Date(START + 1_000 * second), amount, balance, payer: "*********777", ...options });
}

async function payOut(
  sql: TransactionSql,
  second: number,
  amount: number,
  fee: number,
  balance: number,
): Promise<void> {
  const at = new Date(START + 1_000 * second + 7_200_000).toISOString().slice(0, 19).replace("T", " ");
  await receiveText(
    sql,
    `*165*S*${amount} RWF transferred to Aline Uwase (250788000001) from 36520000 at ${at} . ` +
      `Fee was: ${fee} RWF. New balance: ${balance} RWF.*EN#`,
  );
}

Deno.test(
  "receipts whose balances follow from each other are a chain, fees counted",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);

    await receiveAt(sql, 1, 1_000, 5_000);
    await payOut(sql, 2, 700, 50, 4_250);
    await receiveAt(sql, 3, 750, 5_000);

    assertEquals(await chainOf(sql), ["first", "continued", "continued"]);
  }),
);

Deno.test(
  "receipts of one second are a chain in whichever order they are told",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    await receiveAt(sql, 1, 1_000, 1_000);

    await receiveAt(sql, 2, 30, 1_060);
    await receiveAt(sql, 2, 20, 1_080);
    await receiveAt(sql, 2, 30, 1_030);

    assertEquals((await chainOf(sql)).sort(), ["continued", "continued", "continued", "first"]);
  }),
);

Deno.test(
  "a receipt whose balance does not follow settles nothing, and the books do not have it",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const payment = await expectUssd(sql);
    await receiveAt(sql, 1, 500, 5_000);

    const forged = await receiveAt(sql, 2, 1_000, 9_999, { message: payment.reference });

    assertEquals([forged.outcome, (await eventOf(sql, forged.event_id)).reason], ["review", "chain_broken"]);
    assertEquals([await statusOf(sql, payment.id), await suspenseOf(sql)], ["pending", 500]);
    const [gap] = await sql`select trusted_balance::float8, missing_change::float8 from public.momo_chain_gaps`;
    assertEquals([gap!.trusted_balance, gap!.missing_change], [5_000, 3_999]);
  }),
);

Deno.test(
  "a forged receipt does not vouch for another, nor break what follows from the true ones",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    await receiveAt(sql, 1, 500, 5_000);
    await receiveAt(sql, 2, 1_000, 90_000);

    const second = await receiveAt(sql, 3, 1_000, 91_000);
    const genuine = await receiveAt(sql, 4, 100, 5_100);

    assertEquals((await eventOf(sql, second.event_id)).reason, "chain_broken");
    assertEquals((await eventOf(sql, genuine.event_id)).reason, "no_candidate");
    assertEquals(await chainOf(sql), ["first", "broken", "broken", "continued"]);
  }),
);

Deno.test(
  "a receipt that was missing mends the chain, and what waited for it is settled",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const payment = await expectUssd(sql);
    await receiveAt(sql, 1, 500, 5_000);
    const { event_id } = await receiveAt(sql, 3, 1_000, 6_200, { message: payment.reference });
    assertEquals(await statusOf(sql, payment.id), "pending");

    await receiveAt(sql, 2, 200, 5_200);

    const event = await eventOf(sql, event_id);
    assertEquals([await statusOf(sql, payment.id), event.outcome, event.reason], ["succeeded", "applied", null]);
    assertEquals(await balanceOf(sql, payment.accountId), 1_000);
    const reviews = await sql`select kind, status from public.payment_reviews where kind = 'evidence_too_weak'`;
    assertEquals(reviews.map(({ kind, status }) => [kind, status]), [["evidence_too_weak", "resolved"]]);
  }),
);

Deno.test(
  "an operator's word mends the chain from a receipt on",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const payments = [
      await expectUssd(sql),
      await expectUssd(sql),
    ];
    await receiveAt(sql, 1, 500, 5_000);
    const { event_id } = await receiveAt(sql, 3, 1_000, 6_200, { message: payments[0]!.reference });
    await receiveAt(sql, 4, 1_000, 7_200, { message: payments[1]!.reference });

    const { id } = await eventOf(sql, event_id);
    const [row] = await sql`select public.accept_momo_receipt(${id}, 'the account has that much') as answer`;

    assertEquals(row!.answer.outcome, "applied");
    assertEquals(await Promise.all(payments.map((payment) => statusOf(sql, payment.id))), ["succeeded", "succeeded"]);
    assertEquals(await chainOf(sql), ["first", "accepted", "continued"]);
    assertEquals((await sql`select from public.system_audit_logs where action = 'accept_momo_receipt'`).length, 1);
  }),
);

Deno.test(
  "accept_momo_receipt() wants a reason and a receipt",
  rolledBack(database, async (sql) => {
    const accept = (reason: string) =>
      refusalOf(sql, (sql) => sql`select public.accept_momo_receipt(${crypto.randomUUID()}, ${reason})`);

    assertEquals([await accept(""), await accept("seen")], ["invalid_argument", "payment_event_not_found"]);
  }),
);

Deno.test(
  "where the chain is not required a gap is shown, and settles nothing less",
  rolledBack(database, async (sql) => {
    await openReceiver(sql, { is_chain_required: false });
    const payment = await expectUssd(sql);
    await receiveAt(sql, 1, 500, 5_000);

    await receiveAt(sql, 3, 1_000, 9_000, { message: payment.reference });

    assertEquals([await statusOf(sql, payment.id), (await sql`select from public.momo_chain_gaps`).length], [
      "succeeded",
      1,
    ]);
  }),
);

Deno.test(
  "every number has its own chain",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    await sql`select public.set_momo_receiver('+250788000099')`;

    await receiveAt(sql, 1, 500, 5_000, { receiving_number: RECEIVER });
    await receiveAt(sql, 2, 700, 99_700, { receiving_number: "+250788000099" });

    assertEquals(await chainOf(sql), ["first", "first"]);
  }),
);

Deno.test(
  "set_momo_receiver() refuses bounds that make no sense",
  rolledBack(database, async (sql) => {
    const refusals = [
      await refusalOf(sql, (sql) => sql`select public.set_momo_receiver('0788000000')`),
      await refusalOf(sql, (sql) => sql`select public.set_momo_receiver(${RECEIVER}, sender_names => '{}')`),
      await refusalOf(
        sql,
        (sql) => sql`select public.set_momo_receiver(${RECEIVER}, largest_amount => 5, day_amount => 4)`,
      ),
      await refusalOf(sql, (sql) => sql`select public.set_momo_receiver(${RECEIVER}, match_window_seconds => 1)`),
    ];

    assertEquals(refusals, Array(4).fill("invalid_argument"));
  }),
);
