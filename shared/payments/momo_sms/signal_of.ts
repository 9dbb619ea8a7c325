import { type PaymentSignal, type PaymentSignalStatus, SILENT_SIGNAL } from "../payment_signal.ts";
import type { MomoReceipt, MomoTemplate } from "./receipt.ts";

/** Money that came to us from somebody; a reversal gives back what we had sent. */
const CHARGES: readonly MomoTemplate[] = ["received", "cash_deposit"];
const STATUSES: Partial<Record<MomoTemplate, PaymentSignalStatus>> = {
  failed: "failed",
  failed_payment: "failed",
  reversal_initiated: "processing",
};

/** What a receipt says of a payment to us. A text message names no attempt: SQL finds the one that it can only mean. */
export function signalOf(receipt: MomoReceipt): PaymentSignal {
  return {
    ...SILENT_SIGNAL,
    kind: CHARGES.includes(receipt.template) ? "charge" : "other",
    status: STATUSES[receipt.template] ?? "succeeded",
    provider_id: receipt.provider_id,
    amount: receipt.amount,
    currency: receipt.currency,
    occurred_at: receipt.occurred_at,
    payer_suffix: receipt.payer_suffix,
    payer_name: receipt.name,
    evidence: "sms",
  };
}
