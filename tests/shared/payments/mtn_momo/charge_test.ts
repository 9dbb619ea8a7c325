import { assertEquals } from "@std/assert";
import { callbackToken } from "../../../../shared/payments/webhooks/mtn_momo.ts";
import { DOUBTS } from "../../../../scripts/fakes/graph/choose_misbehaviour.ts";
import { LASTING_ANSWERS } from "../../../../scripts/fakes/graph/misbehaviour.ts";
import { serve } from "../../../support/loopback.ts";
import { attempt, gist, providersWith } from "../attempts.ts";
import { momoWith } from "./momo.ts";

Deno.test("charge() asks MTN to ask the payer, under the attempt's id", async () => {
  await using momo = momoWith();
  const asked = attempt();

  const answer = await momo.provider.charge(asked);

  assertEquals(answer.kind === "answered" && [answer.signal.status, answer.next_action], [
    "processing",
    { type: "approve_on_phone" },
  ]);
  const { course: _, decidedAt: __, financialTransactionId: ___, ...request } = momo.fake.books.entries.get(asked.id)!;
  assertEquals(request, {
    id: asked.id,
    resource: "requesttopay",
    amount: "500",
    currency: "RWF",
    externalId: asked.reference,
    party: "250788000001",
    refunded: null,
    callbackUrl: null,
    payerMessage: "Moto to Kimironko",
    payeeNote: asked.reference,
  });
});

Deno.test("charge() writes amounts with their currency's decimals", async () => {
  await using momo = momoWith();
  const asked = attempt({ amount: 1_205, currency: "USD" });

  await momo.provider.charge(asked);

  assertEquals(momo.fake.books.entries.get(asked.id)!.amount, "12.05");
});

Deno.test("charge() tells MTN where to report, with a token that only the two of us know", async () => {
  const url = "http://127.0.0.1:54321/functions/v1/payment-intake/webhooks/mtn-momo";
  await using momo = momoWith({}, { MTN_MOMO_CALLBACK_URL: `${url}/` });
  const asked = attempt();

  await momo.provider.charge(asked);

  const token = await callbackToken(asked.transaction_id, ["local-momo-callback-secret"]);
  assertEquals(momo.fake.books.entries.get(asked.id)!.callbackUrl, `${url}/${asked.transaction_id}/${token}`);
});

Deno.test("charge() may be repeated: MTN takes the same id once, and the answer is the same", async () => {
  await using momo = momoWith();
  const asked = attempt();

  const answers = [await momo.provider.charge(asked), await momo.provider.charge(asked)];

  assertEquals(answers.map(gist), ["processing", "processing"]);
  assertEquals(momo.fake.books.balance("RWF"), 500);
});

Deno.test("charge() sends messages of any length and kind in a form that MTN takes", async () => {
  await using momo = momoWith();
  const long = attempt({ description: `Ride\nhome ${"😀".repeat(300)}` });
  const silent = attempt({ description: null });

  const answers = [await momo.provider.charge(long), await momo.provider.charge(silent)];

  assertEquals(answers.map(gist), ["processing", "processing"]);
  assertEquals(momo.fake.books.entries.get(silent.id)!.payerMessage, silent.reference);
});

Deno.test("charge() is in doubt after every answer that is not MTN's own", async () => {
  for (const doubt of DOUBTS.filter(({ answer }) => !LASTING_ANSWERS.includes(answer))) {
    await using momo = momoWith();
    momo.fake.next(doubt);

    assertEquals([JSON.stringify(doubt), gist(await momo.provider.charge(attempt()))], [
      JSON.stringify(doubt),
      "unknown",
    ]);
  }
});

Deno.test("charge() heeds MTN's refusals, whatever status they come with", async () => {
  const refusals: [status: number, body: string, gist: string][] = [
    [400, `{"code":"PAYER_NOT_FOUND","message":"x"}`, "failed payer_not_found"],
    [400, "<h1>Bad request</h1>", "failed provider_error"],
    [404, `{"code":"PAYEE_NOT_FOUND","message":"x"}`, "failed payee_not_found"],
    [500, `{"code":"NOT_ALLOWED","message":"x"}`, "failed not_allowed"],
    [500, `{"code":"NOT_ALLOWED_TARGET_ENVIRONMENT","message":"x"}`, "failed provider_error"],
    [500, `{"code":"INVALID_CALLBACK_URL_HOST","message":"x"}`, "failed provider_error"],
    [500, `{"code":"INVALID_CURRENCY","message":"x"}`, "failed provider_error"],
    [500, `{"code":"INTERNAL_PROCESSING_ERROR","message":"x"}`, "unknown"],
    [503, `{"code":"SERVICE_UNAVAILABLE","message":"x"}`, "unknown"],
    [403, `{"message":"Forbidden IP"}`, "not_sent forbidden"],
    [429, `{"message":"Rate limit is exceeded"}`, "not_sent too_many_requests"],
    [401, `{"message":"Access denied"}`, "not_sent not_authorized"],
  ];
  for (const [status, body, expected] of refusals) {
    await using momo = momoWith();
    await using front = serve((request) =>
      request.url.endsWith("/token/")
        ? Response.json({ access_token: "t", expires_in: 3600 })
        : new Response(body, { status })
    );
    const { mtn_momo } = providersWith({ ...momo.fake.settings, MTN_MOMO_API_URL: front.url }, front.host);

    assertEquals([status, body, gist(await mtn_momo!.charge(attempt()))], [status, body, expected]);
  }
});

Deno.test("charge() without a number, or in a currency that we do not serve, is refused before it is sent", async () => {
  await using momo = momoWith();

  const answers = [
    await momo.provider.charge(attempt({ phone: null })),
    await momo.provider.charge(attempt({ currency: "JPY" })),
  ];

  assertEquals(answers.map(gist), ["failed not_allowed", "failed not_allowed"]);
  assertEquals(momo.fake.requests, []);
});

Deno.test("charge() has not sent where nobody listens, and not to a host that is not on the list", async () => {
  const gone = serve(() => new Response());
  await gone[Symbol.asyncDispose]();
  await using momo = momoWith();

  const settings = { ...momo.fake.settings, MTN_MOMO_API_URL: gone.url };
  const refused = await providersWith(settings, gone.host).mtn_momo!.charge(attempt());
  const kept = await providersWith(momo.fake.settings, "proxy.momoapi.mtn.com").mtn_momo!.charge(attempt());

  assertEquals([refused, kept].map(gist), ["not_sent connect_failed", "not_sent address_refused"]);
  assertEquals(momo.fake.requests, []);
});
