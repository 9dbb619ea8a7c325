import { assertEquals } from "@std/assert";
import type { SendOutcome } from "shared/notifications/provider.ts";
import { smsProvider } from "shared/notifications/sms/sms_provider.ts";
import type { FakeProvider, Reaction } from "../../../support/fake_providers/fake_provider.ts";
import { fieldsOf, recipientAnswer, startFakeAfricasTalking } from "../../../support/fake_providers/fake_sms.ts";
import { configure, deliveryTo, DOUBTS, impatientFetch, nameOf, PHONE } from "../deliveries.ts";

const SETTINGS = { AFRICAS_TALKING_USERNAME: "easymo", AFRICAS_TALKING_API_KEY: "at-key" };

async function send(provider: FakeProvider, ...script: Reaction[]): Promise<SendOutcome> {
  provider.next(...script);
  configure({ ...SETTINGS, AFRICAS_TALKING_API_URL: `${provider.url}/` }, provider);
  return await smsProvider(impatientFetch).send(deliveryTo({ phone: PHONE }));
}

Deno.test("Africa's Talking gets the message as its form says, once, and its id comes back", async () => {
  await using provider = startFakeAfricasTalking();

  const outcome = await send(provider);

  assertEquals(outcome, { kind: "sent", provider: "africas_talking", provider_message_id: "ATXid_1" });
  const [request] = provider.requests;
  assertEquals([provider.requests.length, request!.method, request!.path], [1, "POST", "/version1/messaging"]);
  assertEquals([request!.headers.get("apikey"), request!.headers.get("content-type")], [
    "at-key",
    "application/x-www-form-urlencoded",
  ]);
  assertEquals(fieldsOf(request!), {
    username: "easymo",
    to: PHONE,
    message: "Paid\nYou were paid 700 RWF",
    bulkSMSMode: "1",
  });
});

Deno.test("Africa's Talking is told our sender if there is one", async () => {
  await using provider = startFakeAfricasTalking();
  configure({ ...SETTINGS, AFRICAS_TALKING_SENDER_ID: "EASYMO", AFRICAS_TALKING_API_URL: provider.url }, provider);

  await smsProvider(impatientFetch).send(deliveryTo({ phone: PHONE }));

  assertEquals(fieldsOf(provider.requests[0]!).from, "EASYMO");
});

const STATUSES: [code: number, status: string, kind: SendOutcome["kind"]][] = [
  [100, "Processed", "sent"],
  [101, "Success", "sent"],
  [102, "Queued", "sent"],
  [401, "RiskHold", "unknown"],
  [402, "InvalidSenderId", "rejected"],
  [403, "InvalidPhoneNumber", "rejected"],
  [404, "UnsupportedNumberType", "rejected"],
  [405, "InsufficientBalance", "rejected"],
  [406, "UserInBlacklist", "rejected"],
  [407, "CouldNotRoute", "rejected"],
  [409, "DoNotDisturbRejection", "rejected"],
  [500, "InternalServerError", "unknown"],
  [501, "GatewayError", "unknown"],
  [502, "RejectedByGateway", "rejected"],
  [599, "SomethingNew", "unknown"],
];
for (const [code, status, kind] of STATUSES) {
  Deno.test(`Africa's Talking's ${code} ${status} means ${kind}`, async () => {
    await using provider = startFakeAfricasTalking();

    const outcome = await send(provider, recipientAnswer(code, status));

    const failed = { kind, provider: "africas_talking", code: String(code), detail: status };
    const sent = { kind, provider: "africas_talking", provider_message_id: "ATXid_1" };
    assertEquals(outcome as unknown, kind === "sent" ? sent : failed);
  });
}

const REFUSALS: [name: string, answer: () => Response, kind: SendOutcome["kind"], code: string, detail?: string][] = [
  [
    "no recipient",
    () => Response.json({ SMSMessageData: { Message: "InvalidSenderId", Recipients: [] } }, { status: 201 }),
    "rejected",
    "no_recipient",
    "InvalidSenderId",
  ],
  [
    "a wrong key",
    () => new Response("The supplied authentication is invalid", { status: 401 }),
    "rejected",
    "401",
    "The supplied authentication is invalid",
  ],
  [
    "a missing field",
    () => new Response("Request is missing required form field 'to' for +250788000001", { status: 400 }),
    "rejected",
    "400",
    "Request is missing required form field 'to' for [redacted]",
  ],
  ["too many requests", () => new Response("<html>", { status: 429 }), "temporary", "429"],
];
for (const [name, answer, kind, code, detail] of REFUSALS) {
  Deno.test(`Africa's Talking refusing for ${name} means ${kind}`, async () => {
    await using provider = startFakeAfricasTalking();

    const outcome = await send(provider, answer());

    assertEquals(outcome, { kind, provider: "africas_talking", code, ...(detail && { detail }) } as SendOutcome);
  });
}

for (const doubt of DOUBTS) {
  Deno.test(`a text message is not sent again after ${nameOf(doubt)}, because it may be on its way`, async () => {
    await using provider = startFakeAfricasTalking();
    // Deno asks again on its own on a connection that was in use before.
    await send(provider);

    const outcome = await send(provider, doubt);

    assertEquals([outcome.kind, provider.requests.length], ["unknown", 2]);
  });
}

Deno.test("a text message may be sent again if nobody listened", async () => {
  const provider = startFakeAfricasTalking();
  await provider[Symbol.asyncDispose]();

  const outcome = await send(provider);

  assertEquals(outcome, { kind: "temporary", provider: "africas_talking", code: "connect_failed" });
});

Deno.test("a provider that our fetch may not call is not configured", async () => {
  await using provider = startFakeAfricasTalking();
  configure({ ...SETTINGS, AFRICAS_TALKING_API_URL: provider.url }, "api.africastalking.com");

  const outcome = await smsProvider(impatientFetch).send(deliveryTo({ phone: PHONE }));

  assertEquals(outcome, { kind: "not_configured", provider: "africas_talking", code: "address_refused" });
  assertEquals(provider.requests, []);
});
