/** The texts of MTN Rwanda that we can read. */
export type MomoTemplate =
  | "received"
  | "cash_deposit"
  | "code_payment"
  | "transfer"
  | "merchant_debit"
  | "service_payment"
  | "failed"
  | "failed_payment"
  | "reversed"
  | "reversal_initiated"
  | "withdrawal";

/** What a payment message says; null where it does not say it. */
export interface MomoReceipt {
  template: MomoTemplate;
  /** Into the account of the phone that got the message, out of it, or neither. */
  direction: "in" | "out" | "none";
  /** Whole francs. */
  amount: number;
  currency: "RWF";
  /** After it. */
  balance: number | null;
  fee: number | null;
  /** The other side's. */
  name: string | null;
  /** The last three digits of the payer's number, of which MTN mostly shows no more. */
  payer_suffix: string | null;
  /** E.164: the other side's number, where it is shown whole. */
  phone: string | null;
  /** MTN's Financial Transaction Id, or TxId. */
  provider_id: string | null;
  /** ISO 8601, UTC. */
  occurred_at: string;
  /** What the payer wrote to us. */
  sender_message: string | null;
}
