/** Who moves money outside of our ledger. */
export type ProviderName = "mtn_momo" | "momo_sms" | "stripe" | "flutterwave" | "paystack" | "standard_webhooks";

/** Why a payment came to nothing, in our words; a provider's own code stays in the payload of its event. */
export type PaymentFailureCode =
  | "authentication_failed"
  | "cancelled"
  | "card_declined"
  | "expired"
  | "insufficient_funds"
  | "limit_reached"
  | "not_allowed"
  | "payee_not_found"
  | "payer_not_found"
  | "provider_error"
  | "rejected";

/** What a signal speaks of; `other` moves no money of ours. */
export type PaymentSignalKind = "charge" | "refund" | "payout" | "dispute" | "other";

/** How far the provider is, as far as it knows. */
export type PaymentSignalStatus = "succeeded" | "failed" | "cancelled" | "expired" | "processing" | "unknown";

/**
 * What a provider says of one payment attempt, in our words: by a webhook, by the answer to a call, by a text message.
 *
 * `record_payment_signal` and `ingest_payment_event` take it as it is. It says what was claimed, not what is believed:
 * amount and currency are compared, and evidence is weighed, in SQL.
 */
export type PaymentSignal = {
  kind: PaymentSignalKind;
  status: PaymentSignalStatus;
  /** Our id of the attempt, when the provider repeats it. */
  attempt_id: string | null;
  /** The provider's id of the payment, refund or payout. */
  provider_id: string | null;
  /** Minor units; null when none was said, or none that the currency can have. */
  amount: number | null;
  /** ISO 4217, upper case. */
  currency: string | null;
  /** ISO 8601, by the provider's clock. */
  occurred_at: string | null;
  failure_code: PaymentFailureCode | null;
  /** The last three digits of the payer's number. */
  payer_suffix: string | null;
  /** As a text message spells it; kept beyond the look-up only while a review is open. */
  payer_name?: string | null;
  evidence: "api" | "webhook" | "sms" | "operator";
};

/** A signal that says nothing yet: what a provider's own words are filled into. */
export const SILENT_SIGNAL: PaymentSignal = {
  kind: "other",
  status: "unknown",
  attempt_id: null,
  provider_id: null,
  amount: null,
  currency: null,
  occurred_at: null,
  failure_code: null,
  payer_suffix: null,
  evidence: "webhook",
};

/** One webhook event: its id, by which copies are told, and what it says. */
export interface PaymentEvent {
  event_id: string;
  /** The provider's name of what happened. */
  event_type: string;
  signal: PaymentSignal;
}
