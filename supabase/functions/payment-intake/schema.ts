import { MINOR_UNITS } from "shared/money.ts";
import * as z from "zod";

/** Ways to pay; `payment_channels` in SQL says which of them are open. */
export const PaymentMethod = z.enum([
  "wallet",
  "mtn_momo",
  "momo_ussd",
  "card",
  "flutterwave",
  "paystack",
  "standard_webhooks",
]);
/** A way to pay. */
export type PaymentMethod = z.output<typeof PaymentMethod>;

const Currency = z.enum(Object.keys(MINOR_UNITS) as [keyof typeof MINOR_UNITS, ...(keyof typeof MINOR_UNITS)[]]);
const Amount = z.int().positive().describe("minor units; RWF has none, so whole francs");
const TransactionType = z.enum(["payment", "top_up", "payout"]);
const Status = z.enum(["pending", "processing", "succeeded", "failed", "cancelled", "expired", "unknown"]);

/** The body of `POST /payment-intake/payments`. */
export const CreatePayment = z.strictObject({
  type: TransactionType.default("payment").describe(
    "payment: to somebody's account; top_up: into one's own wallet; payout: out of it to a phone",
  ),
  amount: Amount,
  currency: Currency,
  method: PaymentMethod,
  to_account_id: z.uuid().optional().describe("the wallet account that is paid"),
  from_account_id: z.uuid().optional().describe("the wallet account that pays: of method wallet, and of payouts"),
  phone: z.string().regex(/^\+[1-9]\d{7,14}$/).optional().describe("E.164: who is asked to pay, or is paid out"),
  description: z.string().min(1).max(160).optional(),
  metadata: z.record(z.string().min(1).max(40), z.string().max(500)).optional().describe("kept, and given back"),
});

/** The body of `POST /payment-intake/payments/{id}/refunds`. */
export const CreateRefund = z.strictObject({
  amount: Amount.optional().describe("minor units; by default all that is left"),
  reason: z.string().min(1).max(200),
});

/** What may follow `/payments/`. */
export const PaymentPath = z.object({ id: z.uuid() });

/** What MTN repeats of the URL that it was given; not checked further, because the token proves it. */
export const CallbackPath = z.object({ transaction_id: z.string(), token: z.string() });

/** What the payer does next. */
const NextAction = z.discriminatedUnion("type", [
  z.object({ type: z.literal("approve_on_phone") }),
  z.object({ type: z.literal("dial"), ussd: z.string() }),
  z.object({ type: z.literal("confirm_card"), client_secret: z.string() }),
  z.object({ type: z.literal("pay_with_reference"), reference: z.string() }),
]);

/** A payment, top-up, payout or refund. */
export const Payment = z.object({
  id: z.uuid(),
  type: z.enum(["payment", "top_up", "payout", "refund"]),
  status: Status,
  method: PaymentMethod,
  amount: z.int(),
  currency: z.string(),
  refunded_amount: z.int(),
  reference: z.string().describe("ten characters that statements and the payer's phone show"),
  original_id: z.uuid().nullable().describe("of a refund: what it gives back"),
  from_account_id: z.uuid().nullable(),
  to_account_id: z.uuid().nullable(),
  phone: z.string().nullable().describe("its last three digits"),
  description: z.string().nullable(),
  metadata: z.record(z.string(), z.unknown()),
  failure_code: z.string().nullable(),
  created_at: z.string(),
  updated_at: z.string(),
  expires_at: z.string().nullable(),
  next_action: NextAction.nullable(),
});
/** A payment as clients see it. */
export type Payment = z.output<typeof Payment>;

/** The query of `GET /payment-intake/payments`. */
export const PaymentFilter = z.strictObject({
  before_id: z.uuid().optional().describe("the last id of the page before"),
  max_count: z.coerce.number().int().min(1).max(100).default(20),
  profile_id: z.uuid().optional().describe("whose; of one's own when one is no operator"),
  type: Payment.shape.type.optional(),
  status: Status.optional(),
  method: PaymentMethod.optional(),
});

/** Payments, the newest first. */
export const PaymentPage = z.array(Payment);

/** What became of a delivery; providers read only the status. */
export const Receipt = z.object({
  received: z.literal(true),
  duplicate: z.boolean().describe("this event had been received before, so nothing was done"),
});
