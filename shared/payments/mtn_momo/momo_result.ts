import * as z from "zod";
import { minorUnits } from "../minor_units.ts";
import type { PaymentAttempt } from "../payment_provider.ts";
import type { PaymentSignal } from "../payment_signal.ts";
import { failedFor, MomoReason, type MomoStanding } from "./momo_reason.ts";

const Text = z.string().min(1).nullable().catch(null);
const Party = z.object({ partyId: z.string() }).nullable().catch(null);

/** What MTN tells of a request: the same in the answer to a look-up and in a callback. */
export const MomoResult = z.object({
  status: z.string(),
  amount: z.union([z.string(), z.number()]).nullable().catch(null),
  currency: Text,
  financialTransactionId: z.union([z.string().min(1), z.int().transform(String)]).nullable().catch(null),
  externalId: Text,
  payer: Party,
  payee: Party,
  reason: MomoReason.nullable().catch(null),
});

/** What MTN tells of a request. */
export type MomoResult = z.output<typeof MomoResult>;

/** What MTN's words about an attempt mean; of somebody else's payment under our id nothing is believed. */
export function momoSignal(attempt: PaymentAttempt, result: MomoResult): Partial<PaymentSignal> {
  const currency = result.currency?.toUpperCase() ?? null;
  const standing = isOurs(attempt, result) ? standingOf(result) : { status: "unknown" as const, failure_code: null };
  return {
    ...standing,
    provider_id: result.financialTransactionId,
    amount: minorUnits(result.amount, currency),
    currency,
    payer_suffix: partyOf(result)?.slice(-3) ?? null,
  };
}

function standingOf({ status, reason }: MomoResult): MomoStanding {
  if (status === "SUCCESSFUL") return { status: "succeeded", failure_code: null };
  if (status === "PENDING" || status === "CREATED" || status === "ONGOING") {
    return { status: "processing", failure_code: null };
  }
  if (status === "FAILED") return failedFor(reason);
  if (status === "REJECTED") return failedFor(reason ?? "APPROVAL_REJECTED");
  if (status === "TIMEOUT") return failedFor("EXPIRED");
  return { status: "unknown", failure_code: null };
}

/** MTN repeats our reference and the number; a masked number says nothing. */
function isOurs({ reference, phone }: PaymentAttempt, result: MomoResult): boolean {
  if (result.externalId !== null && result.externalId !== reference) return false;
  const party = partyOf(result);
  return party === null || phone === null || `+${party}` === phone;
}

function partyOf({ payer, payee }: MomoResult): string | null {
  const id = (payer ?? payee)?.partyId.replace(/^\+/, "");
  return id && /^\d{6,15}$/.test(id) ? id : null;
}
