import { assertEquals } from "@std/assert";
import { attempt, gist } from "../attempts.ts";
import { momoWith } from "./momo.ts";

Deno.test("payout() transfers to the payee's number", async () => {
  await using momo = momoWith();
  const paidOut = attempt({ kind: "payout", amount: 700 });

  const asked = await momo.provider.payout(paidOut);
  const checked = await momo.provider.check(paidOut);

  assertEquals(asked.kind === "answered" && asked.next_action, null);
  assertEquals([asked, checked].map(gist), ["processing", "succeeded"]);
  const { resource, party } = momo.fake.books.entries.get(paidOut.id)!;
  assertEquals([resource, party, momo.fake.books.balance("RWF")], ["transfer", "250788000001", -700]);
});

Deno.test("refund() gives back part of a payment, by our id of it", async () => {
  await using momo = momoWith();
  const paid = attempt();
  await momo.provider.charge(paid);
  const given = attempt({ kind: "refund", amount: 200, original_attempt_id: paid.id });

  await momo.provider.refund(given);

  assertEquals(gist(await momo.provider.check(given)), "succeeded");
  assertEquals(momo.fake.books.balance("RWF"), 300);
});

Deno.test("refund() of more than is left fails, and moves nothing", async () => {
  await using momo = momoWith();
  const paid = attempt();
  await momo.provider.charge(paid);
  const refunds = [300, 300].map((amount) => attempt({ kind: "refund", amount, original_attempt_id: paid.id }));

  for (const each of refunds) await momo.provider.refund(each);

  const checked = [await momo.provider.check(refunds[0]!), await momo.provider.check(refunds[1]!)];
  assertEquals(checked.map(gist), ["succeeded", "failed not_allowed"]);
  assertEquals(momo.fake.books.balance("RWF"), 200);
});

Deno.test("payout() and refund() are not sent where only collecting is configured", async () => {
  await using momo = momoWith({}, { MTN_MOMO_DISBURSEMENT_SUBSCRIPTION_KEY: undefined });
  const paidOut = attempt({ kind: "payout" });

  const answers = [
    await momo.provider.payout(paidOut),
    await momo.provider.check(paidOut),
    await momo.provider.charge(attempt()),
  ];

  assertEquals(answers.map(gist), ["not_sent not_configured", "not_sent not_configured", "processing"]);
});
