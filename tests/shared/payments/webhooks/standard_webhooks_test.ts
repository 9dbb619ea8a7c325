import { assertEquals } from "@std/assert";
import { signalOf, verify } from "shared/payments/webhooks/standard_webhooks.ts";
import { Webhook } from "standardwebhooks";
import { codeThrownBy } from "../../../support/problems.ts";

const BODY = `{"type":"payment.succeeded","data":{"amount":5000}}`;
const OLD = `whsec_${btoa("old secret of the sender, 32 byte")}`;
const NEW = `whsec_${btoa("new secret of the sender, 32 byte")}`;
const NOW = new Date("2026-11-01T10:00:00Z");

interface Delivery {
  id?: string;
  at?: Date;
  secret?: string;
  body?: string;
}

/** What the reference library puts into the headers. */
function signed({ id = "msg_1", at = NOW, secret = NEW, body = BODY }: Delivery = {}): Record<string, string> {
  return {
    "webhook-id": id,
    "webhook-timestamp": String(at.getTime() / 1000),
    "webhook-signature": new Webhook(secret).sign(id, at, body),
  };
}

async function verdict(headers: Record<string, string>, secrets = [OLD, NEW], body = BODY): Promise<string> {
  const bytes = new TextEncoder().encode(body);
  return await codeThrownBy(() => verify(bytes, new Headers(headers), secrets, NOW)) ?? "accepted";
}

Deno.test("verify() accepts what the reference library signed with any of the secrets", async () => {
  assertEquals(await verdict(signed({ secret: OLD })), "accepted");
  assertEquals(await verdict(signed({ secret: NEW })), "accepted");
  assertEquals(await verdict(signed({ secret: NEW }), [NEW.replace("whsec_", "")]), "accepted");
});

Deno.test("verify() accepts one good signature in a list", async () => {
  const headers = signed();
  const listed = `v1a,${btoa("ed25519")} ${signed({ secret: OLD })["webhook-signature"]} ${
    headers["webhook-signature"]
  }`;

  assertEquals(await verdict({ ...headers, "webhook-signature": listed }, [NEW]), "accepted");
});

for (const seconds of [-300, 300]) {
  Deno.test(`verify() accepts a time ${seconds} s from now, and none beyond`, async () => {
    const at = (offset: number) => new Date(NOW.getTime() + offset * 1000);

    assertEquals(await verdict(signed({ at: at(seconds) })), "accepted");
    assertEquals(await verdict(signed({ at: at(seconds + Math.sign(seconds)) })), "signature_invalid");
  });
}

const GOOD = signed();
const SIGNATURE = GOOD["webhook-signature"]!;

for (
  const [name, headers] of Object.entries({
    "no headers": {},
    "no id": { ...GOOD, "webhook-id": "" },
    "another id": { ...GOOD, "webhook-id": "msg_2" },
    "an id with a full stop": signed({ id: "msg.1" }),
    "another time": { ...GOOD, "webhook-timestamp": String(NOW.getTime() / 1000 + 1) },
    "no time": { ...GOOD, "webhook-timestamp": "" },
    "a time in words": { ...GOOD, "webhook-timestamp": "now" },
    "no signature": { ...GOOD, "webhook-signature": "" },
    "a signature without version": { ...GOOD, "webhook-signature": SIGNATURE.slice(3) },
    "another version": { ...GOOD, "webhook-signature": SIGNATURE.replace("v1,", "v2,") },
    "the asymmetric version": { ...GOOD, "webhook-signature": SIGNATURE.replace("v1,", "v1a,") },
    "a signature that is no base64": { ...GOOD, "webhook-signature": "v1,%%%" },
    "another secret": signed({ secret: `whsec_${btoa("another secret of some 32 bytes..")}` }),
    "another body's signature": signed({ body: `${BODY} ` }),
  })
) {
  Deno.test(`verify() refuses ${name}`, async () => assertEquals(await verdict(headers), "signature_invalid"));
}

Deno.test("verify() says that it is not configured when a secret is no base64", async () => {
  assertEquals(await verdict(GOOD, ["whsec_%%%"]), "not_configured");
});

const ATTEMPT = "0b54cf57-7c33-4c3b-8f1a-6b5b3ba9a6d1";

function read(type: string, data: Record<string, unknown>) {
  return signalOf({ type, timestamp: "2026-11-01T10:00:00Z", data }, new Headers({ "webhook-id": "msg_1" }));
}

Deno.test("signalOf() reads a payment under the id of the message", () => {
  const event = read("payment.succeeded", { id: "gw-1", reference: ATTEMPT, amount: 5000, currency: "RWF" });

  assertEquals(event, {
    event_id: "msg_1",
    event_type: "payment.succeeded",
    signal: {
      kind: "charge",
      status: "succeeded",
      attempt_id: ATTEMPT,
      provider_id: "gw-1",
      amount: 5000,
      currency: "RWF",
      occurred_at: "2026-11-01T10:00:00.000Z",
      failure_code: null,
      payer_suffix: null,
      evidence: "webhook",
    },
  });
});

Deno.test("signalOf() keeps a reason that is ours too, and no other", () => {
  assertEquals(
    read("payment.failed", { failure_code: "insufficient_funds" })?.signal.failure_code,
    "insufficient_funds",
  );
  assertEquals(read("payout.failed", { failure_code: "E42" })?.signal.failure_code, "provider_error");
  assertEquals(read("payment.succeeded", { failure_code: "expired" })?.signal.failure_code, null);
});

Deno.test("signalOf() takes other events as not about our money, and finds none without a type", () => {
  assertEquals(read("invoice.created", {})?.signal.kind, "other");
  assertEquals(read("payment.toString", {})?.signal.status, "unknown");
  assertEquals(signalOf({ data: {} }, new Headers({ "webhook-id": "msg_1" })), null);
});
