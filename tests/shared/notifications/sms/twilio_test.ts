import { assertEquals } from "@std/assert";
import type { Delivery, SendOutcome } from "shared/notifications/provider.ts";
import type { SmsAddress } from "shared/notifications/sms/sms_address.ts";
import { smsProvider } from "shared/notifications/sms/sms_provider.ts";
import type { FakeProvider, Reaction } from "../../../support/fake_providers/fake_provider.ts";
import { fieldsOf, startFakeTwilio, twilioError } from "../../../support/fake_providers/fake_sms.ts";
import { configure, deliveryTo, DOUBTS, impatientFetch, nameOf, PHONE } from "../deliveries.ts";

const SETTINGS = { TWILIO_ACCOUNT_SID: "AC1", TWILIO_AUTH_TOKEN: "tw-token", TWILIO_FROM: "+250788000000" };

async function send(provider: FakeProvider, fields: Partial<Delivery<SmsAddress>> = {}): Promise<SendOutcome> {
  configure({ ...SETTINGS, TWILIO_API_URL: provider.url }, provider);
  return await smsProvider(impatientFetch).send(deliveryTo({ phone: PHONE }, fields));
}

async function outcomeOf(reaction: Reaction): Promise<SendOutcome> {
  await using provider = startFakeTwilio();
  provider.next(reaction);
  return await send(provider);
}

Deno.test("Twilio gets the message as its form says, once, and its id comes back", async () => {
  await using provider = startFakeTwilio();

  const outcome = await send(provider);

  assertEquals(outcome, { kind: "sent", provider: "twilio", provider_message_id: "SM1" });
  const [request] = provider.requests;
  assertEquals([provider.requests.length, request!.path], [1, "/2010-04-01/Accounts/AC1/Messages.json"]);
  assertEquals(request!.headers.get("authorization"), `Basic ${btoa("AC1:tw-token")}`);
  assertEquals(fieldsOf(request!), { From: "+250788000000", To: PHONE, Body: "Paid\nYou were paid 700 RWF" });
});

Deno.test("Twilio's messaging service stands in the place of a number", async () => {
  await using provider = startFakeTwilio();
  configure({ ...SETTINGS, TWILIO_FROM: "MG0123", TWILIO_API_URL: provider.url }, provider);

  await smsProvider(impatientFetch).send(deliveryTo({ phone: PHONE }));

  const { MessagingServiceSid, From } = fieldsOf(provider.requests[0]!);
  assertEquals([MessagingServiceSid, From], ["MG0123", undefined]);
});

Deno.test("Twilio does not keep a message longer than it is worth sending", async () => {
  await using provider = startFakeTwilio();

  await send(provider, { expires_at: new Date(Date.now() + 90_500).toISOString() });
  await send(provider, { expires_at: new Date(Date.now() + 86_400_000).toISOString() });
  await send(provider, { expires_at: new Date(Date.now() - 1_000).toISOString() });

  assertEquals(provider.requests.map((request) => fieldsOf(request).ValidityPeriod), ["90", "14400", "1"]);
});

const CODES: [status: number, code: number, kind: SendOutcome["kind"]][] = [
  [429, 20429, "temporary"],
  [429, 14107, "temporary"],
  [429, 21611, "temporary"],
  [400, 21730, "temporary"],
  [400, 30001, "temporary"],
  [400, 30022, "temporary"],
  [400, 21211, "rejected"],
  [400, 21212, "rejected"],
  [403, 21408, "rejected"],
  [400, 21606, "rejected"],
  [400, 21608, "rejected"],
  [400, 21610, "rejected"],
  [400, 21612, "rejected"],
  [400, 21614, "rejected"],
  [400, 21617, "rejected"],
  [400, 30003, "rejected"],
  [400, 30007, "rejected"],
  [401, 20003, "rejected"],
  [404, 20404, "rejected"],
  [500, 20500, "unknown"],
  [503, 20503, "unknown"],
];
for (const [status, code, kind] of CODES) {
  Deno.test(`Twilio's ${code} with ${status} means ${kind}`, async () => {
    const outcome = await outcomeOf(twilioError(status, code, `The number ${PHONE} is not valid`));

    const detail = "The number [redacted] is not valid";
    assertEquals(outcome, { kind, provider: "twilio", code: String(code), detail } as SendOutcome);
  });
}

Deno.test("a message that Twilio took and failed at once is rejected", async () => {
  const failed = { sid: "SM9", status: "failed", error_code: 30007, error_message: "Message filtered" };

  const outcome = await outcomeOf(Response.json(failed, { status: 201 }));

  assertEquals(outcome, { kind: "rejected", provider: "twilio", code: "30007", detail: "Message filtered" });
});

Deno.test("Twilio's Retry-After comes along", async () => {
  const headers = { "retry-after": "7" };

  const outcome = await outcomeOf(Response.json({ code: 20429, message: "Slow down" }, { status: 429, headers }));

  assertEquals([outcome.kind, (outcome as { retry_after?: number }).retry_after], ["temporary", 7]);
});

for (const doubt of DOUBTS) {
  Deno.test(`Twilio's ${nameOf(doubt)} leaves open whether the message goes out`, async () => {
    assertEquals((await outcomeOf(doubt)).kind, "unknown");
  });
}
