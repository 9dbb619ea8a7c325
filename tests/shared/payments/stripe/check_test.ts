import { assertEquals } from "@std/assert";
import { gist } from "../attempts.ts";
import { cardAttempt, cardWith, onlyIntent, paidByCard } from "./card.ts";

Deno.test("check() tells that a card was charged, and how much", async () => {
  await using card = cardWith();
  const asked = cardAttempt();
  await card.provider.charge(asked);
  const provider_id = onlyIntent(card);

  const before = await card.provider.check({ ...asked, provider_id });
  card.fake.confirm(provider_id);
  const after = await card.provider.check({ ...asked, provider_id });

  assertEquals([before, after].map(gist), ["processing", "succeeded"]);
  assertEquals(after.kind === "answered" && [after.signal.amount, after.signal.currency, after.next_action], [
    500,
    "RWF",
    null,
  ]);
});

Deno.test("check() leaves a payment open whose card was declined: the payer may take another", async () => {
  await using card = cardWith();
  const asked = cardAttempt();
  await card.provider.charge(asked);
  card.fake.confirm(onlyIntent(card), "insufficient_funds");

  assertEquals(gist(await card.provider.check({ ...asked, provider_id: onlyIntent(card) })), "processing");
});

Deno.test("check() finds by our id what an answer that was lost had made", async () => {
  await using card = cardWith();
  const asked = cardAttempt();
  card.fake.next({ accepts: true, answer: "close" });
  await card.provider.charge(asked);

  const answer = await card.provider.check(asked);

  assertEquals(answer.kind === "answered" && answer.signal.provider_id, onlyIntent(card));
});

Deno.test("check() that finds nothing yet lets the same request be made again, which tells of the first", async () => {
  await using card = cardWith({ searchLags: true });
  const asked = cardAttempt();
  card.fake.next({ accepts: true, answer: "close" });
  await card.provider.charge(asked);

  const checked = await card.provider.check(asked);
  const answer = await card.provider.charge(asked);

  assertEquals(gist(checked), "not_found");
  assertEquals(answer.kind === "answered" && answer.signal.provider_id, onlyIntent(card));
});

Deno.test("check() says that nobody knows when Stripe does not know its own id, or answers badly", async () => {
  await using card = cardWith();
  const asked = cardAttempt({ provider_id: "pi_another" });
  card.fake.next(undefined, { accepts: true, answer: "garbage" }, { accepts: true, answer: { status: 502 } });

  const answers = [1, 2, 3].map(() => card.provider.check(asked));

  assertEquals((await Promise.all(answers)).map(gist), Array(3).fill("unknown"));
});

Deno.test("check() believes nothing of another attempt's PaymentIntent", async () => {
  await using card = cardWith();
  const provider_id = await paidByCard(card);

  assertEquals(gist(await card.provider.check(cardAttempt({ provider_id }))), "unknown");
});

Deno.test("refund() gives back part of a payment once, however often it is asked", async () => {
  await using card = cardWith();
  const original_provider_id = await paidByCard(card);
  const given = cardAttempt({ kind: "refund", amount: 200, original_provider_id });

  const answers = [await card.provider.refund(given), await card.provider.refund(given)];

  assertEquals(answers.map(gist), ["succeeded", "succeeded"]);
  assertEquals([...card.fake.objects.refunds.values()].map(({ amount }) => amount), [200]);
});

Deno.test("refund() of more than is left is refused", async () => {
  await using card = cardWith();
  const original_provider_id = await paidByCard(card);
  const refunds = [300, 300].map((amount) => cardAttempt({ kind: "refund", amount, original_provider_id }));

  const answers = [await card.provider.refund(refunds[0]!), await card.provider.refund(refunds[1]!)];

  assertEquals(answers.map(gist), ["succeeded", "failed not_allowed"]);
});

Deno.test("check() finds a refund by its id, by ours, or not at all", async () => {
  await using card = cardWith();
  const original_provider_id = await paidByCard(card);
  const given = cardAttempt({ kind: "refund", amount: 200, original_provider_id });
  card.fake.next({ accepts: true, answer: "close" });
  await card.provider.refund(given);

  const byOurs = await card.provider.check(given);
  const provider_id = byOurs.kind === "answered" ? byOurs.signal.provider_id : null;
  const byTheirs = await card.provider.check({ ...given, provider_id });
  const other = await card.provider.check(cardAttempt({ kind: "refund", original_provider_id }));

  assertEquals([byOurs, byTheirs, other].map(gist), ["succeeded", "succeeded", "not_found"]);
});
