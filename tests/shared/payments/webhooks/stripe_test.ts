import { assertEquals } from "@std/assert";
import { signalOf, verify } from "shared/payments/webhooks/stripe.ts";
import Stripe from "stripe";
import { codeThrownBy } from "../../../support/problems.ts";

const BODY = String.raw`{"id":"evt_1","type":"payment_intent.succeeded","note":"\u00e9 Muraho"}`;
const NOW = new Date("2026-11-01T10:00:00Z");
const SECONDS = NOW.getTime() / 1000;

/** What Stripe's own library puts into the header. */
function signed(
  secret: string,
  options: { timestamp?: number; scheme?: string; payload?: string } = {},
): Promise<string> {
  return Stripe.webhooks.generateTestHeaderStringAsync({ payload: BODY, secret, timestamp: SECONDS, ...options });
}

async function verdict(header: string | null, secrets = ["whsec_old", "whsec_new"], body = BODY): Promise<string> {
  const headers = new Headers(header === null ? {} : { "stripe-signature": header });
  const bytes = new TextEncoder().encode(body);
  return await codeThrownBy(() => verify(bytes, headers, secrets, NOW)) ?? "accepted";
}

Deno.test("verify() accepts what Stripe's library signed with any of the secrets", async () => {
  assertEquals(await verdict(await signed("whsec_old")), "accepted");
  assertEquals(await verdict(await signed("whsec_new")), "accepted");
});

Deno.test("verify() accepts one good signature among those of a roll", async () => {
  const [time, unknown] = (await signed("whsec_unknown")).split(",");

  assertEquals(await verdict(`${time},${unknown},${(await signed("whsec_new")).split(",")[1]}`), "accepted");
  assertEquals(await verdict(`${time},${unknown}`), "signature_invalid");
});

for (const seconds of [-300, 300]) {
  Deno.test(`verify() accepts a time ${seconds} s from now, and none beyond`, async () => {
    const beyond = seconds + Math.sign(seconds);

    assertEquals(await verdict(await signed("whsec_new", { timestamp: SECONDS + seconds })), "accepted");
    assertEquals(await verdict(await signed("whsec_new", { timestamp: SECONDS + beyond })), "signature_invalid");
  });
}

for (
  const [name, header] of Object.entries({
    "a missing header": null,
    "an empty header": "",
    "another secret": await signed("whsec_other"),
    "an older scheme alone": await signed("whsec_new", { scheme: "v0" }),
    "an older scheme beside a wrong signature": `${await signed("whsec_new", { scheme: "v0" })},v1=${"0".repeat(64)}`,
    "the time of another signature": (await signed("whsec_new")).replace(/t=\d+/, `t=${SECONDS + 1}`),
    "two times": `t=${SECONDS - 1},${await signed("whsec_new")}`,
    "no time": (await signed("whsec_new")).replace(/t=\d+,/, ""),
    "a time with a fraction": (await signed("whsec_new")).replace(/t=(\d+)/, "t=$1.0"),
    "upper-case hex": (await signed("whsec_new")).replace(/v1=(.*)/, (_, hex) => `v1=${hex.toUpperCase()}`),
    "a cut signature": (await signed("whsec_new")).slice(0, -2),
    "the signature of another body": await signed("whsec_new", { payload: `${BODY} ` }),
  })
) {
  Deno.test(`verify() refuses ${name}`, async () => assertEquals(await verdict(header), "signature_invalid"));
}

Deno.test("verify() refuses the same JSON written otherwise", async () => {
  assertEquals(
    await verdict(await signed("whsec_new"), ["whsec_new"], JSON.stringify(JSON.parse(BODY))),
    "signature_invalid",
  );
});

const ATTEMPT = "0b54cf57-7c33-4c3b-8f1a-6b5b3ba9a6d1";

function intent(type: string, fields: Record<string, unknown> = {}) {
  const object = {
    id: "pi_1",
    amount: 5000,
    amount_received: 5000,
    currency: "rwf",
    metadata: { attempt_id: ATTEMPT },
  };
  return signalOf({ id: "evt_1", type, created: 1793527200, data: { object: { ...object, ...fields } } })!;
}

Deno.test("signalOf() tells a paid intent, by what was received", () => {
  assertEquals(intent("payment_intent.succeeded", { amount_received: 4900 }), {
    event_id: "evt_1",
    event_type: "payment_intent.succeeded",
    signal: {
      kind: "charge",
      status: "succeeded",
      attempt_id: ATTEMPT,
      provider_id: "pi_1",
      amount: 4900,
      currency: "RWF",
      occurred_at: "2026-11-01T10:00:00.000Z",
      failure_code: null,
      payer_suffix: null,
      evidence: "webhook",
    },
  });
});

Deno.test("signalOf() does not take a declined card for the end: another one may follow", () => {
  const { signal } = intent("payment_intent.payment_failed", { last_payment_error: { code: "card_declined" } });

  assertEquals([signal.status, signal.failure_code], ["processing", "card_declined"]);
});

Deno.test("signalOf() tells refunds by their own objects, disputes by their end", () => {
  const refund = intent("refund.updated", { id: "re_1", status: "succeeded", amount: 700 }).signal;
  const failed = intent("refund.failed", { id: "re_1", status: "failed" }).signal;
  const lost = intent("charge.dispute.closed", { id: "dp_1", payment_intent: "pi_1", status: "lost" }).signal;

  assertEquals([refund.kind, refund.status, refund.provider_id, refund.amount], ["refund", "succeeded", "re_1", 700]);
  assertEquals([failed.kind, failed.status, failed.failure_code], ["refund", "failed", "provider_error"]);
  assertEquals([lost.kind, lost.status, lost.provider_id], ["dispute", "succeeded", "pi_1"]);
});

Deno.test("signalOf() takes off the decimals that Stripe gives to Ugandan shillings", () => {
  assertEquals(intent("payment_intent.succeeded", { currency: "ugx", amount_received: 500_000 }).signal.amount, 5000);
  assertEquals(intent("payment_intent.succeeded", { currency: "ugx", amount_received: 50 }).signal.amount, null);
});

for (
  const [name, object] of Object.entries({
    "a negative amount": { amount_received: -1 },
    "an amount with a fraction": { amount_received: 0.5 },
    "an amount in text": { amount_received: "5000" },
    "an amount too large for a number": { amount_received: 2 ** 53 },
  })
) {
  Deno.test(`signalOf() takes no amount from ${name}`, () => {
    assertEquals(intent("payment_intent.succeeded", object).signal.amount, null);
  });
}

Deno.test("signalOf() takes no attempt from metadata that is none", () => {
  assertEquals(intent("payment_intent.succeeded", { metadata: { attempt_id: "1' or true" } }).signal.attempt_id, null);
  assertEquals(intent("payment_intent.succeeded", { metadata: null }).signal.attempt_id, null);
});

for (const event of [null, 1, "text", [], {}, { id: "evt_1" }, { type: "x" }, { id: {}, type: [] }]) {
  Deno.test(`signalOf() finds no event in ${JSON.stringify(event)}`, () => assertEquals(signalOf(event), null));
}

Deno.test("signalOf() takes an event of another kind as not about our money", () => {
  assertEquals(intent("customer.created").signal.kind, "other");
  assertEquals(signalOf({ id: "evt_1", type: "constructor" })?.signal.kind, "other");
});
