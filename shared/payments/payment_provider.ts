import type { PaymentSignal, ProviderName } from "./payment_signal.ts";

/** The provider's side of one transaction, as `start_payment_attempt` and `claim_payment_attempts` give it. */
export interface PaymentAttempt {
  /** UUID v4, committed before any call: the reference, and the idempotency key, at the provider. */
  id: string;
  transaction_id: string;
  kind: "charge" | "refund" | "payout";
  provider: ProviderName;
  /** Minor units. */
  amount: number;
  currency: string;
  /** E.164: who pays, or is paid out. */
  phone: string | null;
  /** Ten characters that people and statements show. */
  reference: string;
  description: string | null;
  /** The provider's id of this attempt, once it is known. */
  provider_id: string | null;
  /** Of a refund: the provider's id of the charge that it gives back. */
  original_provider_id: string | null;
  /** Of a refund: our id of that charge's attempt, where the provider knows the charge by it. */
  original_attempt_id: string | null;
}

/** What the payer has to do next; null when there is nothing. */
export type NextAction =
  | { type: "approve_on_phone" }
  | { type: "dial"; ussd: string }
  | { type: "confirm_card"; client_secret: string }
  | { type: "pay_with_reference"; reference: string };

/**
 * What came of a call to a provider. It is never thrown: a call whose end nobody knows is a signal of status `unknown`.
 *
 * - `answered`: what the provider says, for `record_payment_signal`
 * - `not_sent`: nothing reached the provider; the same call may be made again, under the same id
 * - `not_found`: only of `check`: the provider has never heard of the attempt, so the request may be made (again)
 */
export type ProviderAnswer =
  | { kind: "answered"; signal: PaymentSignal; next_action: NextAction | null }
  | { kind: "not_sent"; reason: string }
  | { kind: "not_found" };

/** One provider's API. Every call is safe to repeat, because it goes out under the attempt's id. */
export interface PaymentProvider {
  /** Asks the payer for the money. */
  charge(attempt: PaymentAttempt): Promise<ProviderAnswer>;
  /** Gives a charge back, or part of it. */
  refund(attempt: PaymentAttempt): Promise<ProviderAnswer>;
  /** Pays somebody out. */
  payout(attempt: PaymentAttempt): Promise<ProviderAnswer>;
  /** Asks what became of an attempt; moves nothing. */
  check(attempt: PaymentAttempt): Promise<ProviderAnswer>;
}

/** The providers whose settings are complete, by name. */
export type PaymentProviders = Readonly<Partial<Record<ProviderName, PaymentProvider>>>;
