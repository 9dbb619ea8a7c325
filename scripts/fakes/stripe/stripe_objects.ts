import type { Random } from "../random.ts";

/** A PaymentIntent at Stripe. */
export interface Intent {
  object: "payment_intent";
  id: string;
  amount: number;
  amount_received: number;
  currency: string;
  status: string;
  client_secret: string;
  metadata: Record<string, string>;
  last_payment_error: Record<string, string> | null;
}

/** A refund at Stripe. */
export interface Refund {
  object: "refund";
  id: string;
  payment_intent: string;
  amount: number;
  currency: string;
  status: string;
  metadata: Record<string, string>;
}

/** Stripe's answer for an error. */
export function stripeError(status: number, error: Record<string, string>): Response {
  return Response.json({ error: { type: "invalid_request_error", ...error } }, { status });
}

/** What Stripe has on its books. */
export class StripeObjects {
  readonly intents = new Map<string, Intent>();
  readonly refunds = new Map<string, Refund>();

  constructor(readonly random: Random) {}

  createIntent(form: URLSearchParams): Intent | Response {
    const amount = Number(form.get("amount"));
    if (!Number.isSafeInteger(amount) || amount < 1) return stripeError(400, { code: "parameter_invalid_integer" });
    if (amount > 99_999_999) return stripeError(400, { code: "amount_too_large" });
    const id = `pi_${this.random.token(24)}`;
    const intent: Intent = {
      object: "payment_intent",
      id,
      amount,
      amount_received: 0,
      currency: form.get("currency") ?? "",
      status: "requires_payment_method",
      client_secret: `${id}_secret_${this.random.token(24)}`,
      metadata: metadataOf(form),
      last_payment_error: null,
    };
    this.intents.set(id, intent);
    return intent;
  }

  createRefund(form: URLSearchParams): Refund | Response {
    const intent = this.intents.get(form.get("payment_intent") ?? "");
    if (!intent) return stripeError(404, { code: "resource_missing" });
    const amount = Number(form.get("amount"));
    if (amount > intent.amount_received - this.#refunded(intent.id)) {
      return stripeError(400, { code: "charge_already_refunded" });
    }
    const { id: payment_intent, currency } = intent;
    const id = `re_${this.random.token(24)}`;
    const refund: Refund = {
      object: "refund",
      id,
      payment_intent,
      amount,
      currency,
      status: "succeeded",
      metadata: {},
    };
    this.refunds.set(id, { ...refund, metadata: metadataOf(form) });
    return this.refunds.get(id)!;
  }

  #refunded(intentId: string): number {
    const refunds = [...this.refunds.values()].filter(({ payment_intent }) => payment_intent === intentId);
    return refunds.reduce((sum, { amount }) => sum + amount, 0);
  }
}

function metadataOf(form: URLSearchParams): Record<string, string> {
  return Object.fromEntries([...form].flatMap(([name, value]) => {
    const [, key] = /^metadata\[(\w+)\]$/.exec(name) ?? [];
    return key ? [[key, value]] : [];
  }));
}
