import { assertEquals } from "@std/assert";
import type { SendOutcome } from "shared/notifications/provider.ts";
import { expoError, messagesOf, startFakeExpo } from "../../../support/fake_providers/fake_expo.ts";
import type { FakeProvider, Reaction } from "../../../support/fake_providers/fake_provider.ts";
import { configure, deliveryTo, DOUBTS, nameOf } from "../deliveries.ts";
import { app, push } from "./endpoints.ts";

const tokenOf = (name: string) => `ExponentPushToken[${name}]`;

function connect(provider: FakeProvider, settings = {}): void {
  configure({ EXPO_API_URL: `${provider.url}/--/api/v2`, ...settings }, provider);
}

Deno.test("Expo gets one request for all of a person's apps, with what a device needs to replace a repeat", async () => {
  await using provider = startFakeExpo();
  connect(provider);

  const { outcome, tickets } = await push([app("a"), app("b")]);

  assertEquals(tickets, [
    { ticket_id: "ticket-1", endpoint_id: "id of a" },
    { ticket_id: "ticket-2", endpoint_id: "id of b" },
  ]);
  assertEquals(outcome, { kind: "sent", provider: "expo", provider_message_id: "ticket-1" });
  const [request, ...others] = provider.requests;
  assertEquals([request!.method, request!.path, others], ["POST", "/--/api/v2/push/send", []]);
  const { delivery_id, notification_id } = deliveryTo(null);
  const message = {
    title: "Paid",
    body: "You were paid 700 RWF",
    data: { screen: "wallet", notification_id },
    sound: "default",
    priority: "default",
    ttl: 86_400,
    tag: delivery_id,
    collapseId: delivery_id,
  };
  assertEquals(messagesOf(request!), [{ to: tokenOf("a"), ...message }, { to: tokenOf("b"), ...message }]);
});

Deno.test("Expo hears our access token where the project asks for one, and nothing where not", async () => {
  await using provider = startFakeExpo();

  connect(provider);
  await push([app("a")]);
  connect(provider, { EXPO_ACCESS_TOKEN: "expo-token" });
  await push([app("a")]);

  assertEquals(provider.requests.map(({ headers }) => headers.get("authorization")), [null, "Bearer expo-token"]);
});

Deno.test("what is critical wakes a device, and what expires is not kept for longer", async () => {
  await using provider = startFakeExpo();
  connect(provider);

  await push([app("a")], { is_critical: true, expires_at: new Date(Date.now() + 90_500).toISOString() });

  const [message] = messagesOf(provider.requests[0]!);
  assertEquals([message!.priority, message!.ttl], ["high", 90]);
});

const ERRORS: [error: string, kind: SendOutcome["kind"], isGone: boolean][] = [
  ["DeviceNotRegistered", "rejected", true],
  ["MessageTooBig", "rejected", false],
  ["MessageRateExceeded", "temporary", false],
  ["MismatchSenderId", "rejected", false],
  ["InvalidCredentials", "rejected", false],
  ["DeveloperError", "rejected", false],
  ["ExpoError", "temporary", false],
  ["ProviderError", "temporary", false],
];
for (const [error, kind, isGone] of ERRORS) {
  Deno.test(`Expo's ticket ${error} means ${kind}${isGone ? " and gone" : ""}`, async () => {
    await using provider = startFakeExpo({ errors: { [tokenOf("a")]: error } });
    connect(provider);

    const { outcome, gone } = await push([app("a")]);

    assertEquals(outcome, { kind, provider: "expo", code: error, detail: '"[redacted]" was refused' } as SendOutcome);
    assertEquals(gone, isGone ? ["id of a"] : []);
  });
}

Deno.test("a delivery is sent if one app took it, and those that are gone are told of", async () => {
  await using provider = startFakeExpo({ errors: { [tokenOf("old")]: "DeviceNotRegistered" } });
  connect(provider);

  const { outcome, gone } = await push([app("old"), app("new")]);

  assertEquals([outcome.kind, gone], ["sent", ["id of old"]]);
});

Deno.test("tokens of two of our apps, which Expo refuses together, are sent one by one", async () => {
  await using provider = startFakeExpo({ apps: { [tokenOf("rider")]: "rider", [tokenOf("driver")]: "driver" } });
  connect(provider);

  const { outcome } = await push([app("rider"), app("driver")]);

  assertEquals(outcome.kind, "sent");
  assertEquals(provider.requests.map((request) => messagesOf(request).length), [2, 1, 1]);
});

const REFUSALS: [answer: Reaction, kind: SendOutcome["kind"], code: string][] = [
  [expoError(429, "TOO_MANY_REQUESTS"), "temporary", "TOO_MANY_REQUESTS"],
  [expoError(400, "PUSH_TOO_MANY_EXPERIENCE_IDS"), "rejected", "PUSH_TOO_MANY_EXPERIENCE_IDS"],
  [expoError(400, "VALIDATION_ERROR"), "rejected", "VALIDATION_ERROR"],
  [expoError(401, "UNAUTHORIZED"), "rejected", "UNAUTHORIZED"],
  [expoError(500, "INTERNAL_SERVER_ERROR"), "temporary", "INTERNAL_SERVER_ERROR"],
  [Response.json({ data: [] }), "temporary", "200"],
  [Response.json({ data: [{ status: "later" }] }), "temporary", "200"],
];
for (const [answer, kind, code] of REFUSALS) {
  Deno.test(`Expo's ${code} for a whole request means ${kind}`, async () => {
    await using provider = startFakeExpo();
    provider.next(answer);
    connect(provider);

    const { outcome, gone } = await push([app("a")]);

    assertEquals([outcome.kind, (outcome as { code?: string }).code, gone], [kind, code, []]);
  });
}

for (const doubt of DOUBTS) {
  Deno.test(`a push message may be sent again after ${nameOf(doubt)}: it takes the place of the first`, async () => {
    await using provider = startFakeExpo();
    provider.next("well", doubt);
    connect(provider);
    await push([app("before")]);

    const { outcome } = await push([app("a")]);

    assertEquals([outcome.kind, provider.requests.length], ["temporary", 2]);
  });
}

Deno.test("Expo that our fetch may not call is not configured", async () => {
  configure({}, "api.resend.com");

  const { outcome } = await push([app("a")]);

  assertEquals(outcome, { kind: "not_configured", provider: "expo", code: "address_refused" });
});
