import { assertEquals } from "@std/assert";
import type { PaymentProvider } from "../../../shared/payments/payment_provider.ts";
import { serve } from "../../support/loopback.ts";
import { attempt, gist, providersWith } from "./attempts.ts";

const ID = "f0000000-0000-4000-8000-000000000001";
const asked = attempt({ id: ID, amount: 500, phone: null });

/** A provider that answers every look-up like this. */
async function answering(
  name: "flutterwave" | "paystack",
  answer: Response,
  use: (provider: PaymentProvider, requests: string[]) => Promise<void>,
): Promise<void> {
  const requests: string[] = [];
  await using server = serve((request) => {
    const { pathname, search } = new URL(request.url);
    requests.push(`${request.method} ${pathname}${search} ${request.headers.get("authorization")}`);
    return answer;
  });
  const settings = {
    FLUTTERWAVE_SECRET_KEY: "flw-key",
    FLUTTERWAVE_API_URL: server.url,
    PAYSTACK_SECRET_KEYS: "psk-new,psk-old",
    PAYSTACK_API_URL: server.url,
  };
  await use(providersWith(settings, server.host)[name]!, requests);
}

function flutterwave(data: Record<string, unknown>, status = 200): Response {
  const payment = { id: 4_975_363, tx_ref: ID, status: "successful", amount: 500, currency: "RWF", ...data };
  return Response.json({ status: "success", data: payment }, { status });
}

function paystack(data: Record<string, unknown>, status = 200): Response {
  const payment = { id: 4_099_260_516, reference: ID, status: "success", amount: 50_000, currency: "RWF", ...data };
  return Response.json({ status: true, data: payment }, { status });
}

Deno.test("charge() by a provider's page gives our reference to pay with, and calls nobody", async () => {
  for (const name of ["flutterwave", "paystack"] as const) {
    await answering(name, new Response(), async (provider, requests) => {
      const answer = await provider.charge(asked);

      assertEquals(answer.kind === "answered" && answer.next_action, { type: "pay_with_reference", reference: ID });
      assertEquals([gist(await provider.refund(asked)), requests], ["failed not_allowed", []]);
    });
  }
});

Deno.test("flutterwave verifies by our reference, or by its own id once that is known", async () => {
  for (const [provider_id, path] of [[null, `verify_by_reference?tx_ref=${ID}`], ["4975363", "4975363/verify"]]) {
    await answering("flutterwave", flutterwave({ amount: 500.0 }), async (provider, requests) => {
      const answer = await provider.check({ ...asked, provider_id: provider_id! });

      const signal = answer.kind === "answered" ? answer.signal : undefined;
      assertEquals([signal?.status, signal?.amount, signal?.currency, signal?.provider_id, signal?.evidence], [
        "succeeded",
        500,
        "RWF",
        "4975363",
        "api",
      ]);
      assertEquals(requests, [`GET /v3/transactions/${path} Bearer flw-key`]);
    });
  }
});

Deno.test("flutterwave's words mean this, and nothing that is not about our reference is believed", async () => {
  const words: [Response, string][] = [
    [flutterwave({ status: "pending" }), "processing"],
    [flutterwave({ status: "failed" }), "failed rejected"],
    [flutterwave({ status: "something new" }), "unknown"],
    [flutterwave({ tx_ref: "another" }), "unknown"],
    [
      Response.json({ status: "error", message: "No transaction was found for this id" }, { status: 400 }),
      "processing",
    ],
    [flutterwave({}, 500), "unknown"],
    [new Response("<h1>200</h1>"), "unknown"],
    [new Response(null, { status: 401 }), "not_sent not_authorized"],
  ];
  for (const [answer, expected] of words) {
    await answering(
      "flutterwave",
      answer,
      async (provider) => assertEquals(gist(await provider.check(asked)), expected),
    );
  }
});

Deno.test("paystack verifies by our reference, and counts in hundredths whatever the currency", async () => {
  await answering("paystack", paystack({ paid_at: "2026-11-22T10:00:00.000Z" }), async (provider, requests) => {
    const answer = await provider.check(asked);

    const signal = answer.kind === "answered" ? answer.signal : undefined;
    assertEquals([signal?.status, signal?.amount, signal?.provider_id, signal?.occurred_at], [
      "succeeded",
      500,
      "4099260516",
      "2026-11-22T10:00:00.000Z",
    ]);
    assertEquals(requests, [`GET /transaction/verify/${ID} Bearer psk-new`]);
  });
});

Deno.test("paystack's words mean this, and an amount that the currency cannot have is none", async () => {
  const words: [Response, string][] = [
    [paystack({ status: "abandoned" }), "processing"],
    [paystack({ status: "failed" }), "failed rejected"],
    [paystack({ status: "reversed" }), "unknown"],
    [paystack({ reference: "another" }), "unknown"],
    [Response.json({ status: false, message: "Transaction reference not found." }, { status: 404 }), "processing"],
    [paystack({}, 502), "unknown"],
  ];
  for (const [answer, expected] of words) {
    await answering("paystack", answer, async (provider) => assertEquals(gist(await provider.check(asked)), expected));
  }
  await answering("paystack", paystack({ amount: 50_050 }), async (provider) => {
    const answer = await provider.check(asked);
    assertEquals(answer.kind === "answered" && answer.signal.amount, null);
  });
});
