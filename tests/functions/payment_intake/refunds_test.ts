import { assertEquals } from "@std/assert";
import { LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { outcomeOf } from "../../support/problems.ts";
import { balanceOf, type Intake, intakeTest, type Person, work } from "./intake.ts";

interface Paid {
  rider: Person;
  driver: Person;
  operator: Person;
  id: string;
}

/** A fare of 700 that was paid from a wallet of 1,000. */
async function paid(intake: Intake): Promise<Paid> {
  const [rider, driver, operator] = [await intake.person(1_000), await intake.person(), await intake.operator()];
  const body = { amount: 700, currency: "RWF", method: "wallet", to_account_id: driver.accountId };
  const { id } = await (await intake.as(rider, "/payments", { body, key: "fare-1" })).json();
  return { rider, driver, operator, id };
}

function refund(intake: Intake, person: Person, id: string, body: unknown, key = "refund-1"): Promise<Response> {
  return intake.as(person, `/payments/${id}/refunds`, { body, key });
}

intakeTest("an operator gives a payment back, in parts, and never more than was paid", async (intake) => {
  const { rider, driver, operator, id } = await paid(intake);

  const part = await refund(intake, operator, id, { amount: 300, reason: "late" }, "part");
  const tooMuch = await refund(intake, operator, id, { amount: 401, reason: "late" }, "too-much");
  const rest = await refund(intake, operator, id, { reason: "late" }, "rest");

  const answer = await part.json();
  assertEquals([part.status, answer.type, answer.status, answer.original_id], [201, "refund", "succeeded", id]);
  assertEquals(await outcomeOf(tooMuch), "409 wallet_refund_exceeded");
  assertEquals([rest.status, (await rest.json()).amount], [201, 400]);
  assertEquals([await balanceOf(intake.sql, rider.accountId), await balanceOf(intake.sql, driver.accountId)], [
    1_000,
    0,
  ]);
});

intakeTest("a refund is made once, however often it is asked for", async (intake) => {
  const { operator, rider, id } = await paid(intake);

  const first = await refund(intake, operator, id, { amount: 300, reason: "late" });
  const again = await refund(intake, operator, id, { amount: 300, reason: "late" });
  const other = await refund(intake, operator, id, { amount: 200, reason: "late" });

  assertEquals([again.headers.get("idempotent-replayed"), await again.text()], ["true", await first.text()]);
  assertEquals(await outcomeOf(other), "422 idempotency_key_reused");
  assertEquals(await balanceOf(intake.sql, rider.accountId), 600);
});

intakeTest("two refunds at once never exceed the payment, and the refused one moves nothing", async (intake) => {
  const { rider, operator, id } = await paid(intake);

  const answers = await Promise.all(
    ["one", "two"].map((key) => refund(intake, operator, id, { amount: 500, reason: "late" }, key)),
  );

  assertEquals((await Promise.all(answers.map(outcomeOf))).toSorted(), ["201", "409 wallet_refund_exceeded"]);
  assertEquals(await balanceOf(intake.sql, rider.accountId), 800);
});

intakeTest("refunds are for registered operators and the secret key", async (intake) => {
  const { rider, driver, id } = await paid(intake);
  const unregistered = await intake.person(0, { app_metadata: { role: "operator" } });
  const body = { amount: 100, reason: "late" };

  assertEquals(await outcomeOf(refund(intake, rider, id, body)), "403 forbidden");
  assertEquals(await outcomeOf(refund(intake, driver, id, body)), "403 forbidden");
  assertEquals(await outcomeOf(refund(intake, unregistered, id, body)), "403 operator_required");
  const byKey = await intake.fetch(`/payments/${id}/refunds`, {
    method: "POST",
    headers: { apikey: LOCAL_KEYS.secretKey, "content-type": "application/json", "idempotency-key": "refund-1" },
    body: JSON.stringify(body),
  });
  assertEquals(byKey.status, 201);
});

intakeTest("a refund needs its key, a reason, and something that was paid", async (intake) => {
  const { operator, id } = await paid(intake);
  const path = `/payments/${id}/refunds`;

  assertEquals(await outcomeOf(intake.as(operator, path, { body: { reason: "late" } })), "400 idempotency_key_missing");
  assertEquals(await outcomeOf(refund(intake, operator, id, { amount: 100 })), "422 validation_failed");
  assertEquals(await outcomeOf(refund(intake, operator, id, { amount: 0, reason: "x" })), "422 validation_failed");
  const nothing = refund(intake, operator, crypto.randomUUID(), { reason: "late" }, "nothing");
  assertEquals(await outcomeOf(nothing), "404 transaction_not_found");
});

intakeTest("a Mobile Money payment is given back through MTN", async (intake) => {
  const [rider, driver, operator] = [await intake.person(), await intake.person(), await intake.operator()];
  const body = { amount: 700, currency: "RWF", method: "mtn_momo", to_account_id: driver.accountId };
  const { id } = await (await intake.as(rider, "/payments", { body, key: "fare-1" })).json();
  intake.momo.books.decide();
  await settle(intake);
  const [charge] = [...intake.momo.books.entries.keys()];

  const answer = await refund(intake, operator, id, { amount: 300, reason: "late" });
  const again = await refund(intake, operator, id, { amount: 300, reason: "late" });

  const given = await answer.json();
  assertEquals([answer.status, given.status, await again.json()], [201, "processing", given]);
  assertEquals([...intake.momo.books.entries.values()].map(({ resource, refunded }) => [resource, refunded]), [
    ["requesttopay", null],
    ["refund", charge],
  ]);
  intake.momo.books.decide();
  await settle(intake);
  const seen = await (await intake.as(operator, `/payments/${given.id}`, { method: "GET" })).json();
  assertEquals([seen.status, await balanceOf(intake.sql, driver.accountId)], ["succeeded", 400]);
});

/** Asks MTN about all that is open, now. */
async function settle({ sql }: Intake): Promise<void> {
  await sql`update public.payment_attempts set next_check_at = now() where status <> 'ended'`;
  await work();
}
