import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { toBase64 } from "shared/base64.ts";
import { webhookHeaders } from "shared/webhooks/webhook_headers.ts";

const ID = "01930000-0000-7000-8000-000000000001";

function secretOf(bytes: Uint8Array): string {
  return `whsec_${toBase64(bytes)}`;
}

Deno.test("webhookHeaders() signs as the specification's own example has it", async () => {
  const headers = await webhookHeaders(
    { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", sentAt: new Date(1_614_265_330_000), body: '{"test": 2432232314}' },
    ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
  );

  assertEquals(headers, {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  });
});

Deno.test("webhookHeaders() signs so that Standard Webhooks' library verifies, whatever body and secrets", async () => {
  const secret = fc.uint8Array({ minLength: 24, maxLength: 64 }).map(secretOf);
  await fc.assert(
    fc.asyncProperty(fc.json(), fc.array(secret, { minLength: 1, maxLength: 2 }), async (body, secrets) => {
      const headers = await webhookHeaders({ id: ID, sentAt: new Date(), body }, secrets);

      for (const each of secrets) new Webhook(each).verify(body, headers);
    }),
  );
});

Deno.test("webhookHeaders() binds id, time and body: a change of any is seen", async () => {
  const secret = secretOf(crypto.getRandomValues(new Uint8Array(32)));
  const sentAt = new Date();
  const body = '{"amount":700}';
  const headers = await webhookHeaders({ id: ID, sentAt, body }, [secret]);
  const receiver = new Webhook(secret);

  receiver.verify(body, headers);
  assertThrows(() => receiver.verify('{"amount":701}', headers));
  assertThrows(() => receiver.verify(body, { ...headers, "webhook-id": "other" }));
  assertThrows(() =>
    receiver.verify(body, { ...headers, "webhook-timestamp": String(Number(headers["webhook-timestamp"]) + 1) })
  );
  assertThrows(() => new Webhook(secretOf(new Uint8Array(32))).verify(body, headers));
});
