import { assertEquals } from "@std/assert";
import { hmacOf } from "../../shared/payments/signing.ts";
import { outcomeOf } from "../../support/problems.ts";
import { useSettings } from "../../support/settings.ts";
import { balanceOf, type Intake, intakeTest } from "./intake.ts";
import { receiptOf } from "./senders.ts";

const OURS = "+250788000100";
const SECRET = "local-momo-sms-secret";

/** Forwards a message as the phone does that got it. */
async function forward(
  intake: Intake,
  message: string,
  { secret = SECRET, at = new Date(), sender = "M-Money" }: { secret?: string; at?: Date; sender?: string } = {},
): Promise<Response> {
  const body = JSON.stringify({ message, sender, receiving_number: OURS });
  const time = Math.floor(at.getTime() / 1000);
  const signature = `t=${time},v1=${await hmacOf("SHA-256", `${time}.${body}`, secret, "hex")}`;
  return await intake.fetch("/webhooks/momo-sms", { method: "POST", headers: { "x-signature": signature }, body });
}

/** MTN's words for money that came in now. */
function received(amount: number, message: string, balance = 50_000 + amount): string {
  const kigali = new Date(Date.now() + 2 * 3600 * 1000).toISOString().slice(0, 19).replace("T", " ");
  return `You have received ${amount} RWF from Aline Uwase (*********001) on your mobile money account at ${kigali}. ` +
    `Message from sender: ${message}. Your new balance:${balance} RWF. Financial Transaction Id: 76662021700.`;
}

/** A number of ours, and payments by USSD to it. */
async function openNumber({ sql }: Intake): Promise<void> {
  await sql`select public.set_payment_channel('momo_ussd', is_enabled => true, merchant_code => '123456')`;
  await sql`select public.set_momo_receiver(${OURS}, is_chain_required => false)`;
}

intakeTest("a receipt with our reference pays the payment that the payer was told to dial for", async (intake) => {
  await openNumber(intake);
  const [rider, driver] = [await intake.person(), await intake.person()];
  const body = { amount: 700, currency: "RWF", method: "momo_ussd", to_account_id: driver.accountId };
  const payment = await (await intake.as(rider, "/payments", { body, key: "fare-1" })).json();
  assertEquals(payment.next_action, { type: "dial", ussd: "*182*8*1*123456*700#" });

  const receipt = await receiptOf(forward(intake, received(700, payment.reference)));

  assertEquals([receipt.duplicate, receipt.outcome], [false, "applied"]);
  assertEquals(await balanceOf(intake.sql, driver.accountId), 700);
  const again = await receiptOf(forward(intake, received(700, payment.reference)));
  assertEquals([again.duplicate, await balanceOf(intake.sql, driver.accountId)], [true, 700]);
});

for (
  const [name, message] of Object.entries({
    "a one-time password": "<#> Dear Customer, your one-time password is : 123456",
    "an advert": "Yello! Umaze kugura 1GB",
    "a greeting": "Muraho, turahurira he?",
  })
) {
  intakeTest(`of ${name}, nothing is kept or logged`, async (intake) => {
    const receipt = await receiptOf(forward(intake, message));

    assertEquals(receipt, { received: true, duplicate: false, outcome: "ignored" });
    assertEquals((await intake.sql`select from public.payment_webhook_events`).length, 0);
    assertEquals(intake.log.raw.filter((line) => /123456|Umaze|Muraho/.test(line)), []);
  });
}

intakeTest("messages are taken from our phone alone, of now, and never without a secret", async (intake) => {
  const message = received(700, "");
  const unsigned = intake.fetch("/webhooks/momo-sms", { method: "POST", body: JSON.stringify({ message }) });

  assertEquals(await outcomeOf(unsigned), "401 signature_invalid");
  assertEquals(await outcomeOf(forward(intake, message, { secret: "other" })), "401 signature_invalid");
  for (const seconds of [-360, 360]) {
    const at = new Date(Date.now() + seconds * 1000);
    assertEquals(await outcomeOf(forward(intake, message, { at })), "401 signature_invalid");
  }
  useSettings({ ...intake.settings, MOMO_SMS_SECRETS: undefined });
  assertEquals(await outcomeOf(forward(intake, message)), "503 not_configured");
  assertEquals((await intake.sql`select from public.payment_webhook_events`).length, 0);
});

intakeTest("what is no forwarded message is refused, without its words", async (intake) => {
  const body = JSON.stringify({ text: "your one-time password is 123456" });
  const time = Math.floor(Date.now() / 1000);
  const signature = `t=${time},v1=${await hmacOf("SHA-256", `${time}.${body}`, SECRET, "hex")}`;

  const answer = await intake.fetch("/webhooks/momo-sms", {
    method: "POST",
    headers: { "x-signature": signature },
    body,
  });

  assertEquals([answer.status, (await answer.text()).includes("123456")], [422, false]);
});

intakeTest("the same words from another sender pay nothing", async (intake) => {
  await openNumber(intake);
  const [rider, driver] = [await intake.person(), await intake.person()];
  const body = { amount: 700, currency: "RWF", method: "momo_ussd", to_account_id: driver.accountId };
  const { reference } = await (await intake.as(rider, "/payments", { body, key: "fare-1" })).json();

  const receipt = await receiptOf(forward(intake, received(700, reference), { sender: "+250788000099" }));

  assertEquals([receipt.outcome, await balanceOf(intake.sql, driver.accountId)], ["ignored", 0]);
});
