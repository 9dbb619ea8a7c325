import { assertEquals } from "@std/assert";
import { providersWith } from "./attempts.ts";

const COLLECTION = {
  MTN_MOMO_TARGET_ENVIRONMENT: "mtnrwanda",
  MTN_MOMO_COLLECTION_SUBSCRIPTION_KEY: "k",
  MTN_MOMO_COLLECTION_API_USER: "u",
  MTN_MOMO_COLLECTION_API_KEY: "k",
};

Deno.test("providers() knows those whose settings are complete", () => {
  assertEquals(Object.keys(providersWith({})), []);
  assertEquals(Object.keys(providersWith(COLLECTION)), ["mtn_momo"]);
  assertEquals(Object.keys(providersWith({ STRIPE_SECRET_KEY: "sk", PAYSTACK_SECRET_KEYS: "psk" })), [
    "stripe",
    "paystack",
  ]);
});

Deno.test("providers() leaves out a provider that lacks a setting", () => {
  const halves = [
    { ...COLLECTION, MTN_MOMO_COLLECTION_API_KEY: undefined },
    { ...COLLECTION, MTN_MOMO_DISBURSEMENT_SUBSCRIPTION_KEY: "k" },
    { ...COLLECTION, MTN_MOMO_CALLBACK_URL: "https://example.com", MTN_MOMO_CALLBACK_SECRETS: undefined },
  ];

  assertEquals(halves.map((half) => Object.keys(providersWith(half))), [[], [], []]);
});
