import {
  type FakeStripe,
  type FakeStripeOptions,
  startFakeStripe,
} from "../../../../scripts/fakes/stripe/fake_stripe.ts";
import type { PaymentAttempt, PaymentProvider } from "../../../../shared/payments/payment_provider.ts";
import { attempt, providersWith } from "../attempts.ts";

/** Stripe as functions reach it, and the fake behind it. */
export interface Card extends AsyncDisposable {
  fake: FakeStripe;
  provider: PaymentProvider;
}

/** Starts a fake and the client that calls it. */
export function cardWith(options: FakeStripeOptions = {}): Card {
  const fake = startFakeStripe(options);
  const provider = providersWith(fake.settings, fake.host).stripe!;
  return { fake, provider, [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose]() };
}

/** An attempt to collect 500 francs by card. */
export function cardAttempt(fields: Partial<PaymentAttempt> = {}): PaymentAttempt {
  return attempt({ provider: "stripe", phone: null, ...fields });
}

/** The id of the only PaymentIntent. */
export function onlyIntent({ fake }: Card): string {
  const [id, ...others] = fake.objects.intents.keys();
  if (!id || others.length > 0) throw new Error("There is not exactly one PaymentIntent.");
  return id;
}

/** A payment of 500 francs that succeeded, and Stripe's id of it. */
export async function paidByCard(card: Card): Promise<string> {
  await card.provider.charge(cardAttempt());
  const id = onlyIntent(card);
  card.fake.confirm(id);
  return id;
}
