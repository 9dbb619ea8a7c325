import { assertEquals } from "@std/assert";
import { serve } from "../../../support/loopback.ts";
import { attempt, gist, providersWith } from "../attempts.ts";
import { momoWith } from "./momo.ts";

Deno.test("check() of what was never asked finds nothing", async () => {
  await using momo = momoWith();

  assertEquals(await momo.provider.check(attempt()), { kind: "not_found" });
});

Deno.test("check() tells how a payment stands, and what MTN calls it", async () => {
  await using momo = momoWith({ course: () => ({ afterMs: Infinity }) });
  const asked = attempt();
  await momo.provider.charge(asked);

  const before = await momo.provider.check(asked);
  momo.fake.books.decide();
  const after = await momo.provider.check(asked);

  assertEquals(gist(before), "processing");
  assertEquals(after.kind === "answered" && after.signal, {
    kind: "charge",
    status: "succeeded",
    attempt_id: asked.id,
    provider_id: "10000000000",
    amount: 500,
    currency: "RWF",
    occurred_at: null,
    failure_code: null,
    payer_suffix: "001",
    evidence: "api",
  });
});

Deno.test("check() has a word of ours for every reason that MTN documents", async () => {
  const words: Record<string, string> = {
    APPROVAL_REJECTED: "failed rejected",
    COULD_NOT_PERFORM_TRANSACTION: "expired expired",
    EXPIRED: "expired expired",
    INTERNAL_PROCESSING_ERROR: "failed provider_error",
    INVALID_CALLBACK_URL_HOST: "failed provider_error",
    INVALID_CURRENCY: "failed provider_error",
    NOT_ALLOWED: "failed not_allowed",
    NOT_ALLOWED_TARGET_ENVIRONMENT: "failed provider_error",
    NOT_ENOUGH_FUNDS: "failed insufficient_funds",
    ONGOING: "processing",
    PAYEE_DELAYED: "processing",
    PAYEE_NOT_ALLOWED_TO_RECEIVE: "failed not_allowed",
    PAYEE_NOT_FOUND: "failed payee_not_found",
    PAYER_DELAYED: "processing",
    PAYER_LIMIT_REACHED: "failed limit_reached",
    PAYER_NOT_FOUND: "failed payer_not_found",
    PAYMENT_NOT_APPROVED: "failed rejected",
    RESOURCE_ALREADY_EXIST: "processing",
    RESOURCE_NOT_FOUND: "failed provider_error",
    SERVICE_UNAVAILABLE: "failed provider_error",
    TRANSACTION_CANCELED: "cancelled cancelled",
    SOMETHING_NEW: "failed provider_error",
  };
  let reason = "";
  await using momo = momoWith({ course: () => ({ reason }) });
  for (reason of Object.keys(words)) {
    // MTN writes a reason as text or as an object: the fake goes by the first digit of the id.
    for (const id of ["00000000-0000-4000-8000-", "10000000-0000-4000-8000-"]) {
      const asked = attempt({ id: id + crypto.randomUUID().slice(-12) });
      await momo.provider.charge(asked);

      assertEquals([reason, gist(await momo.provider.check(asked))], [reason, words[reason]]);
    }
  }
});

Deno.test("check() tells another amount as it is", async () => {
  await using momo = momoWith({ course: () => ({ movedAmount: "50.00" }) });
  const asked = attempt();
  await momo.provider.charge(asked);

  const answer = await momo.provider.check(asked);

  assertEquals(answer.kind === "answered" && [answer.signal.status, answer.signal.amount], ["succeeded", 50]);
});

Deno.test("check() believes nothing of somebody else's payment under our id", async () => {
  await using momo = momoWith();
  const asked = attempt();
  await momo.provider.charge(asked);

  const answers = [
    await momo.provider.check({ ...asked, reference: "0000000000" }),
    await momo.provider.check({ ...asked, phone: "+250788000002" }),
  ];

  assertEquals(answers.map(gist), ["unknown", "unknown"]);
});

Deno.test("check() does not take the page of a proxy for MTN's word that it knows nothing", async () => {
  await using momo = momoWith();
  for (const [body, expected] of [["<h1>404</h1>", "unknown"], ["", "not_found"]]) {
    await using front = serve((request) =>
      request.url.endsWith("/token/")
        ? Response.json({ access_token: "t", expires_in: 3600 })
        : new Response(body, { status: 404 })
    );
    const { mtn_momo } = providersWith({ ...momo.fake.settings, MTN_MOMO_API_URL: front.url }, front.host);

    assertEquals(gist(await mtn_momo!.check(attempt())), expected);
  }
});

Deno.test("check() that gets no good answer says that nobody knows, never that it failed", async () => {
  await using momo = momoWith();
  const asked = attempt();
  await momo.provider.charge(asked);
  const answers = ["garbage", "truncated", { status: 500 }, { status: 400 }, { code: 100 }] as const;
  momo.fake.next(...answers.map((answer) => ({ accepts: true, answer })));

  for (const answer of answers) {
    assertEquals([answer, gist(await momo.provider.check(asked))], [answer, "unknown"]);
  }
});
