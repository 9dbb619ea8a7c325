import { assertEquals } from "@std/assert";
import { signalOf, verify } from "shared/payments/webhooks/flutterwave.ts";
import { codeThrownBy } from "../../../support/problems.ts";
import { hmacOf } from "../signing.ts";

const BODY = `{"event":"charge.completed","data":{"id":285959875}}`;
const SIGNATURE = await hmacOf("SHA-256", BODY, "new-hash", "base64");
const ATTEMPT = "0b54cf57-7c33-4c3b-8f1a-6b5b3ba9a6d1";

async function verdict(headers: Record<string, string>, body = BODY): Promise<string> {
  const bytes = new TextEncoder().encode(body);
  return await codeThrownBy(() => verify(bytes, new Headers(headers), ["old-hash", "new-hash"])) ?? "accepted";
}

Deno.test("verify() accepts each secret hash, repeated (v3) or signed with (v4)", async () => {
  assertEquals(await verdict({ "verif-hash": "old-hash" }), "accepted");
  assertEquals(await verdict({ "verif-hash": "new-hash" }), "accepted");
  assertEquals(await verdict({ "flutterwave-signature": SIGNATURE }), "accepted");
  assertEquals(
    await verdict({ "flutterwave-signature": await hmacOf("SHA-256", BODY, "old-hash", "base64") }),
    "accepted",
  );
});

for (
  const [name, headers] of Object.entries<Record<string, string>>({
    "no header": {},
    "an empty hash": { "verif-hash": "" },
    "another hash": { "verif-hash": "newer-hash" },
    "a part of the hash": { "verif-hash": "new-" },
    "the hash as a signature": { "flutterwave-signature": "new-hash" },
    "another secret's signature": { "flutterwave-signature": await hmacOf("SHA-256", BODY, "x", "base64") },
    "the signature in hex": { "flutterwave-signature": await hmacOf("SHA-256", BODY, "new-hash", "hex") },
    "a wrong signature beside a right hash": { "flutterwave-signature": btoa("wrong"), "verif-hash": "new-hash" },
  })
) {
  Deno.test(`verify() refuses ${name}`, async () => assertEquals(await verdict(headers), "signature_invalid"));
}

Deno.test("verify() refuses a signature over another body", async () => {
  assertEquals(await verdict({ "flutterwave-signature": SIGNATURE }, `${BODY} `), "signature_invalid");
});

Deno.test("signalOf() reads v3", () => {
  const data = { id: 285959875, tx_ref: ATTEMPT, amount: 12.5, currency: "USD", status: "successful" };

  const event = signalOf({ event: "charge.completed", data: { ...data, created_at: "2026-11-01T10:00:00.000Z" } })!;

  assertEquals(event.event_id, "charge.completed:285959875:successful");
  assertEquals(event.signal, {
    kind: "charge",
    status: "succeeded",
    attempt_id: ATTEMPT,
    provider_id: "285959875",
    amount: 1250,
    currency: "USD",
    occurred_at: "2026-11-01T10:00:00.000Z",
    failure_code: null,
    payer_suffix: null,
    evidence: "webhook",
  });
});

Deno.test("signalOf() reads v4, which numbers its events", () => {
  const data = { id: "chg_1", reference: ATTEMPT, amount: 5000, currency: "RWF", status: "failed" };

  const event = signalOf({ webhook_id: "wbk_1", type: "charge.completed", data })!;

  assertEquals([event.event_id, event.signal.status, event.signal.amount], ["wbk_1", "failed", 5000]);
  assertEquals([event.signal.attempt_id, event.signal.failure_code], [ATTEMPT, "provider_error"]);
});

Deno.test("signalOf() tells transfers, refunds and what is not about our money apart", () => {
  const kinds = ["transfer.completed", "refund.completed", "chargeback.created", "subscription.cancelled"].map((type) =>
    signalOf({ type, data: { id: 1, status: "SUCCESSFUL" } })!.signal
  );

  assertEquals(kinds.map(({ kind }) => kind), ["payout", "refund", "dispute", "other"]);
  assertEquals(kinds[0]!.status, "succeeded");
});

for (const amount of [0.001, 1e21, -5, "12.5.0", NaN, null]) {
  Deno.test(`signalOf() takes no amount from ${amount}`, () => {
    const event = signalOf({ type: "charge.completed", data: { id: 1, amount, currency: "USD" } });

    assertEquals(event?.signal.amount, null);
  });
}

Deno.test("signalOf() finds no event without a type or an id", () => {
  assertEquals([signalOf(null), signalOf({ type: "charge.completed" }), signalOf({ data: { id: 1 } })], [
    null,
    null,
    null,
  ]);
});
