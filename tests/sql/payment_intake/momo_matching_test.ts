import { assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { createTestDatabase, rolledBack } from "../../support/database.ts";
import { statusOf, suspenseOf } from "../payments/payments.ts";
import { balanceOf } from "../wallet/wallets.ts";
import { eventOf, expectPayment, expectUssd, openReceiver, PAYER, receive } from "./intake.ts";

const database = await createTestDatabase();

/** Whom the payment is of, as far as we know them. */
async function nameOwner(sql: TransactionSql, transactionId: string, name: string): Promise<void> {
  const [profile] = await sql`insert into public.profiles (full_name) values (${name}) returning id`;
  await sql`alter table public.transactions disable trigger keep_transaction`;
  await sql`update public.transactions set profile_id = ${profile!.id} where id = ${transactionId}`;
  await sql`alter table public.transactions enable trigger keep_transaction`;
}

async function ageBy(sql: TransactionSql, transactionId: string, age: string, status: string): Promise<void> {
  await sql`alter table public.transactions disable trigger keep_transaction`;
  await sql`
    update public.transactions set status = ${status}::text::public.transaction_status, expires_at = now() - ${age}::text::interval
    where id = ${transactionId}`;
  await sql`alter table public.transactions enable trigger keep_transaction`;
}

Deno.test(
  "a receipt settles the open payment of its amount whose payer's number ends as told",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const payment = await expectUssd(sql);

    const answer = await receive(sql);

    assertEquals([answer.outcome, await statusOf(sql, payment.id)], ["applied", "succeeded"]);
    assertEquals(await balanceOf(sql, payment.accountId), 1_000);
  }),
);

for (const written of ["as it is", "in small letters", "in groups", "with an O for the 0", "in a sentence"]) {
  Deno.test(
    `a receipt settles the payment whose reference its payer wrote ${written}, whoever paid`,
    rolledBack(database, async (sql) => {
      await openReceiver(sql);
      const [, payment] = [await expectUssd(sql), await expectUssd(sql)];
      const message = {
        "in small letters": payment.reference.toLowerCase(),
        "in groups": `${payment.reference.slice(0, 5)}-${payment.reference.slice(5)}`,
        "with an O for the 0": payment.reference.replaceAll("0", "O").replaceAll("1", "l"),
        "in a sentence": `ride (${payment.reference}) thanks`,
      }[written] ?? payment.reference;

      const answer = await receive(sql, { message, payer: "*********999", name: "Somebody Else" });

      assertEquals([answer.outcome, await statusOf(sql, payment.id)], ["applied", "succeeded"]);
    }),
  );
}

Deno.test(
  "a receipt with a reference and another amount goes to review, and its money into suspense",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const payment = await expectUssd(sql);

    const answer = await receive(sql, { message: payment.reference, amount: 400 });

    assertEquals([answer.outcome, (await eventOf(sql, answer.event_id)).reason], ["review", "amount_mismatch"]);
    assertEquals([await statusOf(sql, payment.id), await suspenseOf(sql)], ["unknown", 400]);
  }),
);

Deno.test(
  "a receipt with the reference of a payment by another method goes to review",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const payment = await expectPayment(sql, "mtn_momo", 1_000, PAYER);

    const answer = await receive(sql, { message: payment.reference });

    const { reason, transaction_id } = await eventOf(sql, answer.event_id);
    assertEquals([answer.outcome, reason, transaction_id], ["review", "other_method", payment.id]);
    assertEquals([await statusOf(sql, payment.id), await suspenseOf(sql)], ["pending", 1_000]);
  }),
);

Deno.test(
  "money that comes again for a payment that has succeeded goes to review",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const payment = await expectUssd(sql);
    await receive(sql, { message: payment.reference, balance: 10_000 });

    const answer = await receive(sql, { message: payment.reference, balance: 11_000 });

    assertEquals([answer.outcome, await balanceOf(sql, payment.accountId), await suspenseOf(sql)], [
      "review",
      1_000,
      1_000,
    ]);
  }),
);

for (
  const [name, receipt] of Object.entries({
    "of another amount": { amount: 1_001 },
    "of a payer whose number ends otherwise": { payer: "*********002" },
    "of another whole number with that end": { payer: "250788111001" },
    "from before anybody asked": { at: new Date(Date.now() - 600_000) },
  })
) {
  Deno.test(
    `a receipt ${name} is unmatched, and its money in suspense`,
    rolledBack(database, async (sql) => {
      await openReceiver(sql);
      const payment = await expectUssd(sql);

      const answer = await receive(sql, receipt);

      const { reason, review_id } = await eventOf(sql, answer.event_id);
      assertEquals([answer.outcome, reason, await statusOf(sql, payment.id)], ["unmatched", "no_candidate", "pending"]);
      assertEquals([review_id !== null, await suspenseOf(sql)], [true, receipt.amount ?? 1_000]);
    }),
  );
}

Deno.test(
  "a receipt that may be for two payments is for neither",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const payments = [await expectUssd(sql), await expectUssd(sql)];

    const answer = await receive(sql);

    assertEquals([answer.outcome, (await eventOf(sql, answer.event_id)).reason], ["review", "several_candidates"]);
    assertEquals(await Promise.all(payments.map(({ id }) => statusOf(sql, id))), ["pending", "pending"]);
    assertEquals(await suspenseOf(sql), 1_000);
  }),
);

Deno.test(
  "a receipt that may be for two payments is for the one whose payer has that name",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const payments = [await expectUssd(sql), await expectUssd(sql)];
    await nameOwner(sql, payments[0]!.id, "François HABIMANA");
    await nameOwner(sql, payments[1]!.id, "Aline");

    const answer = await receive(sql, { name: "HABIMANA Francois J." });

    assertEquals(answer.outcome, "applied");
    assertEquals(await Promise.all(payments.map(({ id }) => statusOf(sql, id))), ["succeeded", "pending"]);
  }),
);

Deno.test(
  "a receipt of somebody with another name, and a number of which only the end is told, goes to review",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const payment = await expectUssd(sql);
    await nameOwner(sql, payment.id, "Jean-Paul Habimana");

    const answer = await receive(sql, { name: "Aline Uwase" });

    assertEquals([answer.outcome, (await eventOf(sql, answer.event_id)).reason], ["review", "names_differ"]);
    assertEquals(await statusOf(sql, payment.id), "pending");
  }),
);

Deno.test(
  "a receipt that tells the payer's whole number needs no name",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const payment = await expectUssd(sql);
    await nameOwner(sql, payment.id, "Jean-Paul Habimana");

    assertEquals((await receive(sql, { name: "Aline Uwase", payer: PAYER.slice(1) })).outcome, "applied");
  }),
);

Deno.test(
  "a receipt of a payment that had just expired is a late success",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const payment = await expectUssd(sql);
    await ageBy(sql, payment.id, "1 hour", "expired");

    assertEquals([(await receive(sql)).outcome, await statusOf(sql, payment.id)], ["applied", "succeeded"]);
  }),
);

for (const [age, status] of [["3 hours", "expired"], ["0 hours", "cancelled"]] as const) {
  Deno.test(
    `a receipt that nothing but amount and number tie to a payment ${status} ${age} ago is unmatched`,
    rolledBack(database, async (sql) => {
      await openReceiver(sql);
      const payment = await expectUssd(sql);
      await ageBy(sql, payment.id, age, status);

      assertEquals([(await receive(sql)).outcome, await statusOf(sql, payment.id)], ["unmatched", status]);
    }),
  );
}

Deno.test(
  "a receipt is for the payment that is open, not for the one that expired before it",
  rolledBack(database, async (sql) => {
    await openReceiver(sql);
    const [expired, open] = [await expectUssd(sql), await expectUssd(sql)];
    await ageBy(sql, expired.id, "10 minutes", "expired");

    await receive(sql);

    assertEquals([await statusOf(sql, expired.id), await statusOf(sql, open.id)], ["expired", "succeeded"]);
  }),
);
