import { assertEquals } from "@std/assert";
import { startFakeStripe } from "../../../scripts/fakes/stripe/fake_stripe.ts";
import { useSettings } from "../../support/settings.ts";
import { balanceOf, type Intake, intakeTest, type Person } from "./intake.ts";
import { post, receiptOf, type Sender, SENDERS } from "./senders.ts";

interface Open {
  driver: Person;
  id: string;
  reference: string;
}

const { flutterwave, ...BELIEVED } = SENDERS;

/** A payment of 700 that waits for the sender's word. */
async function openPayment(intake: Intake, { method }: Sender): Promise<Open> {
  const [rider, driver] = [await intake.person(), await intake.person()];
  const body = { amount: 700, currency: "RWF", method, to_account_id: driver.accountId };
  const { id } = await (await intake.as(rider, "/payments", { body, key: crypto.randomUUID() })).json();
  const [attempt] = await intake.sql`select id from public.payment_attempts where transaction_id = ${id}`;
  return { driver, id, reference: attempt!.id };
}

async function statusOf({ sql }: Intake, id: string): Promise<string> {
  const [row] = await sql`select status from public.transactions where id = ${id}`;
  return row!.status;
}

/** A test for each sender whose word is believed; Stripe has one of its own on this machine. */
function eachBelieved(name: string, body: (intake: Intake, sender: Sender) => Promise<void>): void {
  for (const [who, sender] of Object.entries(BELIEVED)) {
    intakeTest(`${who}: ${name}`, async (intake) => {
      await using stripe = startFakeStripe();
      const hosts = `${intake.settings.OUTBOUND_ALLOWED_HOSTS},${stripe.host}`;
      useSettings({ ...intake.settings, ...stripe.settings, OUTBOUND_ALLOWED_HOSTS: hosts });
      await body(intake, sender);
    });
  }
}

eachBelieved("a success pays the payment", async (intake, sender) => {
  const { driver, id, reference } = await openPayment(intake, sender);

  const receipt = await receiptOf(
    post(intake, sender, sender.body({ reference, amount: 700 })),
  );

  assertEquals([receipt.outcome, await statusOf(intake, id)], ["applied", "succeeded"]);
  assertEquals(await balanceOf(intake.sql, driver.accountId), 700);
});

eachBelieved("copies, 16 at once and in any order with other words, pay it once", async (intake, sender) => {
  const { driver, id, reference } = await openPayment(intake, sender);
  const tell = (status: "succeeded" | "processing", event: number) =>
    post(intake, sender, sender.body({ reference, amount: 700, status, eventId: `ev${status}${event % 3}` }));

  const answers = await Promise.all(
    Array.from({ length: 16 }, (_, index) => tell(index % 2 ? "succeeded" : "processing", index)),
  );

  assertEquals(answers.map(({ status }) => status), Array(16).fill(200));
  assertEquals([await statusOf(intake, id), await balanceOf(intake.sql, driver.accountId)], ["succeeded", 700]);
});

eachBelieved("a failure after the success changes nothing", async (intake, sender) => {
  const { driver, id, reference } = await openPayment(intake, sender);
  await receiptOf(post(intake, sender, sender.body({ reference, amount: 700, eventId: "one" })));

  const late = sender.body({ reference, amount: 700, status: "failed", eventId: "two" });
  const receipt = await receiptOf(post(intake, sender, late));

  assertEquals([receipt.outcome, await statusOf(intake, id)], ["unchanged", "succeeded"]);
  assertEquals(await balanceOf(intake.sql, driver.accountId), 700);
});

eachBelieved("a success after the failure still pays", async (intake, sender) => {
  const { driver, id, reference } = await openPayment(intake, sender);
  await receiptOf(post(intake, sender, sender.body({ reference, amount: 700, status: "failed", eventId: "one" })));
  assertEquals(await statusOf(intake, id) === "succeeded", false);

  await receiptOf(post(intake, sender, sender.body({ reference, amount: 700, eventId: "two" })));

  assertEquals([await statusOf(intake, id), await balanceOf(intake.sql, driver.accountId)], ["succeeded", 700]);
});

for (
  const [what, told] of Object.entries({
    "another amount": { amount: 699 },
    "another currency": { amount: 700, currency: "USD" },
  })
) {
  eachBelieved(`${what} pays nothing and is laid before a person`, async (intake, sender) => {
    const { driver, id, reference } = await openPayment(intake, sender);

    const receipt = await receiptOf(post(intake, sender, sender.body({ reference, ...told })));

    assertEquals([receipt.outcome, await statusOf(intake, id)], ["review", "unknown"]);
    assertEquals(await balanceOf(intake.sql, driver.accountId), 0);
    const [review] = await intake.sql`select kind, transaction_id from public.payment_reviews`;
    assertEquals(review, {
      kind: what.includes("amount") ? "amount_mismatch" : "currency_mismatch",
      transaction_id: id,
    });
  });
}

eachBelieved("money for a reference that is not ours is laid before a person", async (intake, sender) => {
  const receipt = await receiptOf(post(intake, sender, sender.body({ reference: crypto.randomUUID(), amount: 700 })));

  assertEquals(receipt.outcome, "unmatched");
  const [review] = await intake.sql`select kind, amount::int, status from public.payment_reviews`;
  assertEquals(review, { kind: "unmatched", amount: 700, status: "open" });
});

intakeTest("nobody's success pays another provider's payment", async (intake) => {
  const { driver, id, reference } = await openPayment(intake, SENDERS.paystack);

  await receiptOf(post(intake, SENDERS.standardWebhooks, SENDERS.standardWebhooks.body({ reference, amount: 700 })));

  assertEquals([await statusOf(intake, id), await balanceOf(intake.sql, driver.accountId)], ["pending", 0]);
});

intakeTest("Flutterwave's word moves nothing: it makes our own look-up due", async (intake) => {
  const { driver, id, reference } = await openPayment(intake, flutterwave);
  await intake.sql`update public.payment_attempts set next_check_at = now() + interval '1 hour'`;

  const receipt = await receiptOf(post(intake, flutterwave, flutterwave.body({ reference, amount: 700 })));

  assertEquals([receipt.outcome, await statusOf(intake, id)], ["unconfirmed", "pending"]);
  assertEquals(await balanceOf(intake.sql, driver.accountId), 0);
  const [attempt] = await intake
    .sql`select next_check_at <= now() + interval '5 seconds' as is_due from public.payment_attempts`;
  assertEquals(attempt!.is_due, true);
});
