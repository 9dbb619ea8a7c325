import { assertEquals } from "@std/assert";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { attemptOf, create, refund, signal, statusOf, suspenseOf } from "../payments/payments.ts";
import { balanceOf, openWallet, platformAccount, refusalOf } from "../wallet/wallets.ts";
import { classesOf, HEAD, now, paid, reconcile, unexplained } from "./reconciliations.ts";

const database = await createTestDatabase();
const STRIPE = { provider: "stripe", currency: "USD", format: "stripe" };

for (
  const [what, csv] of Object.entries({
    "an open quote": `${HEAD}\nm1,,${now()},"1000,0,`,
    "no headings": "a,b\n1,2",
    "a fraction of a franc": `${HEAD}\nm1,,${now()},10.50,0,`,
    "commas out of place": `${HEAD}\nm1,,${now()},"10,00",0,`,
    "a word for an amount": `${HEAD}\nm1,,${now()},NaN,0,`,
    "no time": `${HEAD}\nm1,,yesterday,10,0,`,
  })
) {
  Deno.test(
    `a statement with ${what} is refused`,
    rolledBack(database, async (sql) => {
      assertEquals(await refusalOf(sql, (sql) => reconcile(sql, csv)), "statement_unreadable");
    }),
  );
}

Deno.test(
  "csv_rows() reads quotes, commas, lines within fields, CRLF and a byte order mark",
  rolledBack(database, async (sql) => {
    const csv = '\ufeffa,"b ""b"", c"\r\n\r\n"d\ne",\n';
    const rows = await sql`select fields from private.csv_rows(${csv}) order by row_number`;

    assertEquals(rows.map(({ fields }) => fields), [["a", 'b "b", c'], ["d\ne", ""]]);
  }),
);

Deno.test(
  "the format mtn_momo reads titles, days first in Kigali's time, statuses, and money that goes out",
  rolledBack(database, async (sql) => {
    const to = await openWallet(sql, { balance: 20_000 });
    const payment = await paid(sql, to, "m1");
    const back = await refund(sql, payment.id, 400);
    await signal(sql, back.id, { provider_id: "r1" });
    const payout = await create(sql, { type: "payout", amount: 5_000, from: to, phone: "+250788000001" });
    await signal(sql, payout.id, { provider_id: "d1" });
    const lines = [
      "Merchant transactions,,,,,,,",
      "Id,External id,Date,Status,Type,From,Amount,Fee,Currency",
      `m1,${payment.reference},${inKigali()},Successful,Payment,250788000000,"1,000",10,RWF`,
      `r1,,${inKigali()},Successful,Refund,250788000000,400,0,RWF`,
      `d1,,${inKigali()},Successful,Disbursement,250788000001,"5,000",50,RWF`,
      `m2,,${inKigali()},Failed,Payment,250788000002,900,0,RWF`,
      `m3,,${inKigali()},Successful,Payment,250788000002,900,0,EUR`,
    ];

    const run = await reconcile(sql, lines.join("\r\n"), { format: "mtn_momo" });

    assertEquals(await classesOf(sql, run), [["m1", "matched", 1000], ["r1", "matched", -400], [
      "d1",
      "matched",
      -5000,
    ]]);
    assertEquals(await unexplained(sql, run), [0, 0]);
    assertEquals(await suspenseOf(sql), 0);
  }),
);

Deno.test(
  "the format stripe reads decimals of dollars exactly, and charges, refunds and fees",
  rolledBack(database, async (sql) => {
    const payment = await create(sql, {
      to: await openWallet(sql, { currency: "USD" }),
      amount: 2_050,
      currency: "USD",
      method: "card",
    });
    await signal(sql, payment.id, { provider_id: "pi_1" });
    const back = await refund(sql, payment.id, 525);
    await signal(sql, back.id, { provider_id: "re_1" });

    const run = await reconcile(
      sql,
      stripeReport(
        "txn_1,charge,20.50,0.90,pi_1,ch_1,,",
        "txn_2,refund,-5.25,0.00,pi_1,re_1,,",
        "txn_3,fee,-0.07,0.00,,,,",
      ),
      STRIPE,
    );

    assertEquals(await classesOf(sql, run), [["pi_1", "matched", 2050], ["pi_1", "matched", -525], [
      null,
      "matched",
      0,
    ]]);
    assertEquals(await unexplained(sql, run), [0, 0]);
    assertEquals(await balanceOf(sql, await platformAccount(sql, "provider_fees", "USD")), 97);
  }),
);

Deno.test(
  "a refund that Stripe's report knows before we do succeeds by it",
  rolledBack(database, async (sql) => {
    const payment = await create(sql, {
      to: await openWallet(sql, { currency: "USD" }),
      amount: 2_000,
      currency: "USD",
      method: "card",
    });
    await signal(sql, payment.id, { provider_id: "pi_1" });
    const back = await refund(sql, payment.id, 500);
    const { id } = await attemptOf(sql, back.id);

    const run = await reconcile(
      sql,
      stripeReport("txn_1,charge,20.00,0,pi_1,ch_1,,", `txn_2,refund,-5.00,0,pi_1,re_1,,${id}`),
      STRIPE,
    );

    assertEquals((await classesOf(sql, run)).map(([, found]) => found), ["matched", "matched"]);
    assertEquals([await statusOf(sql, back.id), (await attemptOf(sql, back.id)).provider_id], ["succeeded", "re_1"]);
    assertEquals(await unexplained(sql, run), [0, 0]);
  }),
);

/** The time of a line as MTN's portal writes it. */
function inKigali(): string {
  const [date, time] = new Date(Date.parse(now()) + 2 * 3_600_000).toISOString().split(/[T.]/);
  return `${date!.split("-").reverse().join("/")} ${time}`;
}

function stripeReport(...lines: string[]): string {
  const head = "balance_transaction_id,reporting_category,gross,fee,payment_intent_id,source_id," +
    "payment_metadata[attempt_id],refund_metadata[attempt_id],created_utc,currency";
  return [head, ...lines.map((line) => `${line},${now().slice(0, 19).replace("T", " ")},usd`)].join("\n");
}
