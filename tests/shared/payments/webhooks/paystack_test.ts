import { assertEquals } from "@std/assert";
import { signalOf, verify } from "shared/payments/webhooks/paystack.ts";
import { codeThrownBy } from "../../../support/problems.ts";
import { hmacOf } from "../signing.ts";

const BODY = `{"event":"charge.success","data":{"id":302961}}`;
const ATTEMPT = "0b54cf57-7c33-4c3b-8f1a-6b5b3ba9a6d1";
const SIGNATURE = await hmacOf("SHA-512", BODY, "sk_new", "hex");

async function verdict(signature: string | null, body = BODY): Promise<string> {
  const headers = new Headers(signature === null ? {} : { "x-paystack-signature": signature });
  const bytes = new TextEncoder().encode(body);
  return await codeThrownBy(() => verify(bytes, headers, ["sk_old", "sk_new"])) ?? "accepted";
}

Deno.test("verify() accepts a signature by any of the secret keys", async () => {
  assertEquals(await verdict(SIGNATURE), "accepted");
  assertEquals(await verdict(await hmacOf("SHA-512", BODY, "sk_old", "hex")), "accepted");
});

for (
  const [name, signature] of Object.entries({
    "no header": null,
    "an empty header": "",
    "another key": await hmacOf("SHA-512", BODY, "sk_other", "hex"),
    "the shorter digest": await hmacOf("SHA-256", BODY, "sk_new", "hex"),
    "a cut signature": SIGNATURE.slice(0, -2),
    "the signature in base64": await hmacOf("SHA-512", BODY, "sk_new", "base64"),
    "the key itself": "sk_new",
  })
) {
  Deno.test(`verify() refuses ${name}`, async () => assertEquals(await verdict(signature), "signature_invalid"));
}

Deno.test("verify() refuses a signature over another body", async () => {
  assertEquals(await verdict(SIGNATURE, `${BODY} `), "signature_invalid");
});

Deno.test("signalOf() reads a charge; amounts are hundredths of every currency", () => {
  const data = {
    id: 302961,
    reference: ATTEMPT,
    amount: 500_000,
    currency: "RWF",
    paid_at: "2026-11-01T10:00:00.000Z",
  };

  const event = signalOf({ event: "charge.success", data })!;

  assertEquals(event.event_id, "charge.success:302961");
  assertEquals(event.signal, {
    kind: "charge",
    status: "succeeded",
    attempt_id: ATTEMPT,
    provider_id: "302961",
    amount: 5000,
    currency: "RWF",
    occurred_at: "2026-11-01T10:00:00.000Z",
    failure_code: null,
    payer_suffix: null,
    evidence: "webhook",
  });
  assertEquals(signalOf({ event: "charge.success", data: { ...data, currency: "KES" } })!.signal.amount, 500_000);
});

Deno.test("signalOf() takes no amount that the currency cannot have", () => {
  const signal = signalOf({ event: "charge.success", data: { id: 1, amount: 550, currency: "RWF" } })!.signal;

  assertEquals(signal.amount, null);
});

Deno.test("signalOf() tells refunds, transfers, disputes and what is not about our money apart", () => {
  const types = ["refund.processed", "refund.pending", "transfer.reversed", "charge.dispute.create", "invoice.update"];

  const signals = types.map((event) => signalOf({ event, data: { id: 1 } })!.signal);

  assertEquals(signals.map(({ kind, status }) => `${kind} ${status}`), [
    "refund succeeded",
    "refund processing",
    "payout failed",
    "dispute processing",
    "other unknown",
  ]);
});

Deno.test("signalOf() finds no event without a type or an id", () => {
  assertEquals([signalOf([]), signalOf({ event: "charge.success" }), signalOf({ data: { id: 1 } })], [
    null,
    null,
    null,
  ]);
});
