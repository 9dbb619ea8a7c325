import { assertEquals } from "@std/assert";
import type { EmailAddress } from "shared/notifications/email/email_address.ts";
import { emailProvider } from "shared/notifications/email/email_provider.ts";
import type { Delivery, SendOutcome } from "shared/notifications/provider.ts";
import type { FakeProvider, Reaction } from "../../../support/fake_providers/fake_provider.ts";
import { resendError, startFakeResend } from "../../../support/fake_providers/fake_resend.ts";
import { configure, deliveryTo, DOUBTS, impatientFetch, nameOf } from "../deliveries.ts";

const SETTINGS = { RESEND_API_KEY: "re_key", EMAIL_FROM: "EasyMO <no-reply@easymo.example>" };

async function send(provider: FakeProvider, fields: Partial<Delivery<EmailAddress>> = {}): Promise<SendOutcome> {
  configure({ ...SETTINGS, RESEND_API_URL: provider.url }, provider);
  const options = { fetch: impatientFetch, isAllowedSocket: () => false };
  return await emailProvider(options).send(deliveryTo({ email: "jean@example.com" }, fields));
}

async function outcomeOf(reaction: Reaction): Promise<SendOutcome> {
  await using provider = startFakeResend();
  provider.next(reaction);
  return await send(provider);
}

Deno.test("Resend gets the e-mail once, with the delivery's id as its key", async () => {
  await using provider = startFakeResend();

  const outcome = await send(provider);

  assertEquals(outcome, { kind: "sent", provider: "resend", provider_message_id: "email-1" });
  const [request, ...others] = provider.requests;
  assertEquals([request!.method, request!.path, others], ["POST", "/emails", []]);
  assertEquals(request!.headers.get("authorization"), "Bearer re_key");
  assertEquals(request!.headers.get("idempotency-key"), deliveryTo(null).delivery_id);
  const { html, ...email } = JSON.parse(request!.text);
  assertEquals(email, {
    from: '"EasyMO" <no-reply@easymo.example>',
    to: ["jean@example.com"],
    subject: "Paid",
    text: "You were paid 700 RWF",
    headers: { "Auto-Submitted": "auto-generated" },
  });
  assertEquals(html.includes("<p>You were paid 700 RWF</p>"), true);
});

Deno.test("a delivery that is tried again is the same e-mail to Resend", async () => {
  await using provider = startFakeResend();
  provider.next("close");

  const outcomes = [await send(provider), await send(provider), await send(provider)];

  const sent: SendOutcome = { kind: "sent", provider: "resend", provider_message_id: "email-1" };
  assertEquals(outcomes, [{ kind: "temporary", provider: "resend", code: "connection_lost" }, sent, sent]);
});

const ERRORS: [status: number, name: string, kind: SendOutcome["kind"]][] = [
  [400, "invalid_idempotency_key", "rejected"],
  [400, "validation_error", "rejected"],
  [401, "missing_api_key", "rejected"],
  [401, "restricted_api_key", "rejected"],
  [403, "invalid_api_key", "rejected"],
  [403, "validation_error", "rejected"],
  [404, "not_found", "rejected"],
  [409, "invalid_idempotent_request", "unknown"],
  [409, "concurrent_idempotent_requests", "temporary"],
  [422, "invalid_from_address", "rejected"],
  [429, "rate_limit_exceeded", "temporary"],
  [429, "daily_quota_exceeded", "rejected"],
  [429, "monthly_quota_exceeded", "rejected"],
  [451, "security_error", "rejected"],
  [500, "application_error", "temporary"],
  [503, "service_unavailable", "temporary"],
];
for (const [status, name, kind] of ERRORS) {
  Deno.test(`Resend's ${status} ${name} means ${kind}`, async () => {
    const outcome = await outcomeOf(resendError(status, name, "Not to jean@example.com"));

    assertEquals(outcome, { kind, provider: "resend", code: name, detail: "Not to [redacted]" } as SendOutcome);
  });
}

Deno.test("Resend's Retry-After comes along", async () => {
  const outcome = await outcomeOf(resendError(429, "rate_limit_exceeded", "Slow down", { "retry-after": "1" }));

  assertEquals((outcome as { retry_after?: number }).retry_after, 1);
});

for (const doubt of DOUBTS) {
  Deno.test(`an e-mail may be given to Resend again after ${nameOf(doubt)}: it knows it`, async () => {
    assertEquals((await outcomeOf(doubt)).kind, "temporary");
  });
}

Deno.test("an address that is more than one mailbox goes to nobody", async () => {
  await using provider = startFakeResend();

  const outcome = await send(provider, { address: { email: "jean@example.com, other@example.com" } });

  assertEquals([outcome, provider.requests], [{ kind: "rejected", code: "invalid_address" }, []]);
});

for (
  const [name, settings, detail] of [
    ["no provider", {}, "neither RESEND_API_KEY nor SMTP_URL is set"],
    ["no sender", { RESEND_API_KEY: "re_key" }, "EMAIL_FROM is not set"],
    ["a sender that is none", { RESEND_API_KEY: "re_key", EMAIL_FROM: "EasyMO" }, "EMAIL_FROM is no address"],
    ["a sender of two lines", { RESEND_API_KEY: "k", EMAIL_FROM: "A\nB <a@b.rw>" }, "EMAIL_FROM is no address"],
  ] as const
) {
  Deno.test(`e-mail with ${name} is not configured`, async () => {
    configure(settings);
    const provider = emailProvider({ fetch: impatientFetch, isAllowedSocket: () => false });

    assertEquals(await provider.send(deliveryTo({ email: "jean@example.com" })), { kind: "not_configured", detail });
  });
}
