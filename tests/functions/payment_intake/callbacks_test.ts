import { assertEquals } from "@std/assert";
import { callbackToken } from "shared/payments/webhooks/mtn_momo.ts";
import { outcomeOf } from "../../support/problems.ts";
import { useSettings } from "../../support/settings.ts";
import { balanceOf, type Intake, intakeTest, type Person, work } from "./intake.ts";
import { receiptOf } from "./senders.ts";

const SECRETS = ["local-momo-callback-secret"];

/** A payment of 700 that MTN has asked somebody for. */
async function asked(intake: Intake): Promise<{ driver: Person; id: string; path: string }> {
  const [rider, driver] = [await intake.person(), await intake.person()];
  const body = { amount: 700, currency: "RWF", method: "mtn_momo", to_account_id: driver.accountId };
  const { id } = await (await intake.as(rider, "/payments", { body, key: "fare-1" })).json();
  // Nobody looks for an hour, unless the callback makes it due.
  await intake.sql`update public.payment_attempts set next_check_at = now() + interval '1 hour'`;
  return { driver, id, path: `/webhooks/mtn-momo/${id}/${await callbackToken(id, SECRETS)}` };
}

async function attemptOf({ sql }: Intake): Promise<{ is_due: boolean; status: string }> {
  const [row] = await sql`
    select next_check_at <= now() + interval '5 seconds' as is_due, transaction.status
    from public.payment_attempts join public.transactions as transaction on transaction.id = transaction_id`;
  return row as unknown as { is_due: boolean; status: string };
}

const CLAIM = JSON.stringify({ status: "SUCCESSFUL", amount: "700", currency: "RWF", financialTransactionId: "1" });

for (const method of ["PUT", "POST"]) {
  intakeTest(
    `a callback by ${method} moves no money: it makes our own look-up due, within 5 seconds`,
    async (intake) => {
      const { driver, path } = await asked(intake);

      const receipt = await receiptOf(intake.fetch(path, { method, body: CLAIM }));

      assertEquals([receipt.received, receipt.duplicate, receipt.outcome], [true, false, "unconfirmed"]);
      assertEquals(await attemptOf(intake), { is_due: true, status: "processing" });
      assertEquals(await balanceOf(intake.sql, driver.accountId), 0);
    },
  );
}

intakeTest("MTN calls back at the address that we gave it", async (intake) => {
  const { path } = await asked(intake);
  intake.momo.books.decide();

  await intake.momo.callbacks.deliver();

  assertEquals([...intake.momo.books.entries.values()].map(({ callbackUrl }) => callbackUrl?.endsWith(path)), [true]);
  assertEquals((await attemptOf(intake)).is_due, true);
  const [event] = await intake.sql`select event_type, outcome from public.payment_webhook_events`;
  assertEquals(event, { event_type: "callback.successful", outcome: "unconfirmed" });
});

intakeTest("a callback that comes again is a duplicate", async (intake) => {
  const { path } = await asked(intake);
  await receiptOf(intake.fetch(path, { method: "POST", body: CLAIM }));

  assertEquals((await receiptOf(intake.fetch(path, { method: "PUT", body: CLAIM }))).duplicate, true);
});

for (const [name, body] of Object.entries({ "nothing": "", "no JSON": "<xml/>", "a text": `"SUCCESSFUL"` })) {
  intakeTest(`a callback of ${name} is a hint all the same`, async (intake) => {
    const { path } = await asked(intake);

    const receipt = await receiptOf(intake.fetch(path, { method: "POST", body }));

    assertEquals([receipt.outcome, (await attemptOf(intake)).is_due], ["unconfirmed", true]);
  });
}

intakeTest(
  "a callback without its token, or with another payment's, is refused before its body is read",
  async (intake) => {
    const { id, path } = await asked(intake);
    const endless = () =>
      new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)) });
    const call = (path: string) => outcomeOf(intake.fetch(path, { method: "POST", body: endless() }));
    const other = await callbackToken(crypto.randomUUID(), SECRETS);

    const outcomes = [
      await call(`/webhooks/mtn-momo/${id}/${other}`),
      await call(`/webhooks/mtn-momo/${id}/x`),
      await call(path.slice(0, -1)),
      await call(path.replace(id, crypto.randomUUID())),
    ];

    assertEquals(outcomes, Array(4).fill("401 signature_invalid"));
    assertEquals((await intake.sql`select from public.payment_webhook_events`).length, 0);
    assertEquals((await attemptOf(intake)).is_due, false);
  },
);

intakeTest("tokens of the secret before the last are accepted, and without secrets nobody is", async (intake) => {
  const { path } = await asked(intake);
  useSettings({ ...intake.settings, MTN_MOMO_CALLBACK_SECRETS: `next-secret, ${SECRETS[0]}` });
  assertEquals((await intake.fetch(path, { method: "PUT", body: CLAIM })).status, 200);

  useSettings({ ...intake.settings, MTN_MOMO_CALLBACK_SECRETS: undefined });

  assertEquals(await outcomeOf(intake.fetch(path, { method: "PUT", body: CLAIM })), "503 not_configured");
});

intakeTest("a callback of a payment that is not there is kept, and nothing is done", async (intake) => {
  const id = crypto.randomUUID();
  const path = `/webhooks/mtn-momo/${id}/${await callbackToken(id, SECRETS)}`;

  assertEquals((await receiptOf(intake.fetch(path, { method: "POST", body: CLAIM }))).outcome, "unmatched");
  assertEquals((await intake.sql`select from public.payment_reviews`).length, 0);
});

/** How often MTN was asked what became of a payment. */
function lookUps({ momo }: Intake): number {
  return momo.requests.filter((request) => request.startsWith("GET ")).length;
}

intakeTest(
  "callbacks, however many, make us ask MTN at most every 5 seconds, and what it says then counts",
  async (intake) => {
    const { driver, path } = await asked(intake);
    async function storm(): Promise<void> {
      for (let index = 0; index < 5; index++) {
        await receiptOf(
          intake.fetch(path, {
            method: "POST",
            body: JSON.stringify({ status: "SUCCESSFUL", index, now: performance.now() }),
          }),
        );
        await work();
      }
    }
    const passTime = () =>
      intake
        .sql`update public.payment_attempts set asked_at = asked_at - interval '6 seconds', checked_at = checked_at - interval '6 seconds'`;

    await storm();
    assertEquals(lookUps(intake), 0);
    await passTime();
    await storm();
    assertEquals([lookUps(intake), (await attemptOf(intake)).status], [1, "processing"]);
    await passTime();
    intake.momo.books.decide();
    await storm();

    assertEquals([lookUps(intake), (await attemptOf(intake)).status], [2, "succeeded"]);
    assertEquals(await balanceOf(intake.sql, driver.accountId), 700);
  },
);
