import type { PaymentProvider } from "../../../../shared/payments/payment_provider.ts";
import type { SettingName } from "../../../../shared/env.ts";
import { type FakeMomo, type FakeMomoOptions, startFakeMomo } from "../../../../scripts/fakes/momo/fake_momo.ts";
import { providersWith } from "../attempts.ts";

/** MTN as functions reach it, and the fake behind it. */
export interface Momo extends AsyncDisposable {
  fake: FakeMomo;
  provider: PaymentProvider;
}

/** Starts a fake and the client that calls it. */
export function momoWith(
  options: FakeMomoOptions = {},
  settings: Partial<Record<SettingName, string | undefined>> = {},
): Momo {
  const fake = startFakeMomo(options);
  const provider = providersWith({ ...fake.settings, ...settings }, fake.host).mtn_momo!;
  return { fake, provider, [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose]() };
}
