import { assertEquals } from "@std/assert";
import { smsProvider } from "shared/notifications/sms/sms_provider.ts";
import { startFakeAfricasTalking, startFakeTwilio } from "../../../support/fake_providers/fake_sms.ts";
import { configure, deliveryTo, impatientFetch, PHONE } from "../deliveries.ts";

const AFRICAS_TALKING = { AFRICAS_TALKING_USERNAME: "easymo", AFRICAS_TALKING_API_KEY: "at-key" };
const TWILIO = { TWILIO_ACCOUNT_SID: "AC1", TWILIO_AUTH_TOKEN: "t", TWILIO_FROM: "+250788000000" };

const send = () => smsProvider(impatientFetch).send(deliveryTo({ phone: PHONE }));

Deno.test("text messages go by Africa's Talking where both providers are set", async () => {
  await using first = startFakeAfricasTalking();
  await using second = startFakeTwilio();
  configure(
    { ...AFRICAS_TALKING, ...TWILIO, AFRICAS_TALKING_API_URL: first.url, TWILIO_API_URL: second.url },
    first,
    second,
  );

  await send();

  assertEquals([first.requests.length, second.requests.length], [1, 0]);
});

Deno.test("without a provider for text messages a delivery says which settings are missing", async () => {
  configure({});

  assertEquals(await send(), {
    kind: "not_configured",
    detail: "neither AFRICAS_TALKING_API_KEY nor TWILIO_ACCOUNT_SID is set",
  });
});

for (
  const [missing, given] of [
    ["AFRICAS_TALKING_USERNAME", { AFRICAS_TALKING_API_KEY: "at-key" }],
    ["TWILIO_AUTH_TOKEN", { TWILIO_ACCOUNT_SID: "AC1", TWILIO_FROM: "MG1" }],
    ["TWILIO_FROM", { TWILIO_ACCOUNT_SID: "AC1", TWILIO_AUTH_TOKEN: "t" }],
  ] as const
) {
  Deno.test(`a provider without ${missing} says so`, async () => {
    configure(given);

    assertEquals(await send(), { kind: "not_configured", detail: `${missing} is not set` });
  });
}

Deno.test("a setting that no request can carry is a fault of the configuration, not of the run", async () => {
  for (const bad of [{ AFRICAS_TALKING_API_KEY: "a\nb" }, { AFRICAS_TALKING_API_URL: "no address" }]) {
    configure({ ...AFRICAS_TALKING, ...bad });

    assertEquals(await send(), { kind: "not_configured", provider: "africas_talking", code: "invalid_setting" });
  }
});
