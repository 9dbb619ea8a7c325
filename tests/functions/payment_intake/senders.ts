import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import type { SettingName } from "../../../shared/env.ts";
import { hmacOf } from "../../shared/payments/signing.ts";
import type { Intake } from "./intake.ts";

/** What a sender tells of a payment, in our words. */
export interface Told {
  /** Our reference: the attempt's id. */
  reference: string;
  amount: number;
  currency?: string;
  providerId?: string;
  status?: "succeeded" | "failed" | "processing";
  eventId?: string;
}

/** A sender of webhooks: its way of writing, and of signing. */
export interface Sender {
  path: string;
  method: "card" | "standard_webhooks" | "flutterwave" | "paystack";
  setting: SettingName;
  /** What it signs with in the tests. */
  secret: string;
  /** A second one, in the form that it must have. */
  otherSecret: string;
  /** Whether a time is signed, so that old deliveries can be told. */
  isTimed: boolean;
  body(told: Told): string;
  headers(body: string, secret: string, at?: Date): Promise<Record<string, string>> | Record<string, string>;
}

const STANDARD_SECRET = "whsec_bG9jYWwtc3RhbmRhcmQtd2ViaG9va3Mtc2VjcmV0";

/** The senders that sign JSON; Stripe's and Standard Webhooks' signatures are made by their own libraries. */
export const SENDERS: Record<"stripe" | "standardWebhooks" | "flutterwave" | "paystack", Sender> = {
  stripe: {
    path: "/webhooks/stripe",
    method: "card",
    setting: "STRIPE_WEBHOOK_SECRETS",
    secret: "whsec_local_stripe",
    otherSecret: "whsec_other",
    isTimed: true,
    body: ({ reference, amount, currency = "RWF", providerId = "pi_1", status = "succeeded", eventId = "evt_1" }) =>
      JSON.stringify({
        id: eventId,
        object: "event",
        created: 1793527200,
        type: `payment_intent.${{ succeeded: "succeeded", failed: "canceled", processing: "processing" }[status]}`,
        data: {
          object: {
            id: providerId,
            amount,
            amount_received: amount,
            currency: currency.toLowerCase(),
            client_secret: `${providerId}_secret_1`,
            metadata: { attempt_id: reference },
          },
        },
      }),
    headers: async (payload, secret, at = new Date()) => ({
      "stripe-signature": await Stripe.webhooks.generateTestHeaderStringAsync({
        payload,
        secret,
        timestamp: Math.floor(at.getTime() / 1000),
      }),
    }),
  },
  standardWebhooks: {
    path: "/webhooks/standard-webhooks",
    method: "standard_webhooks",
    setting: "STANDARD_WEBHOOK_SECRETS",
    secret: STANDARD_SECRET,
    otherSecret: `whsec_${btoa("another secret of 32 bytes length")}`,
    isTimed: true,
    body: ({ reference, amount, currency = "RWF", providerId = "gw-1", status = "succeeded", eventId = "msg_1" }) =>
      JSON.stringify({
        type: `payment.${status}`,
        timestamp: "2026-11-01T10:00:00Z",
        data: { id: providerId, reference, amount, currency, event: eventId },
      }),
    headers: (body, secret, at = new Date()) => {
      const id = /"event":"(\w+)"/.exec(body)?.[1] ?? "msg_1";
      const seconds = Math.floor(at.getTime() / 1000);
      return {
        "webhook-id": id,
        "webhook-timestamp": String(seconds),
        "webhook-signature": new Webhook(secret).sign(id, new Date(seconds * 1000), body),
      };
    },
  },
  flutterwave: {
    path: "/webhooks/flutterwave",
    method: "flutterwave",
    setting: "FLUTTERWAVE_SECRET_HASHES",
    secret: "local-flutterwave-hash",
    otherSecret: "other-flutterwave-hash",
    isTimed: false,
    body: (
      { reference, amount, currency = "RWF", providerId = "285959875", status = "succeeded", eventId = "wbk_1" },
    ) =>
      JSON.stringify({
        webhook_id: eventId,
        type: "charge.completed",
        data: { id: providerId, reference, amount, currency, status },
      }),
    headers: async (body, secret) => ({ "flutterwave-signature": await hmacOf("SHA-256", body, secret, "base64") }),
  },
  paystack: {
    path: "/webhooks/paystack",
    method: "paystack",
    setting: "PAYSTACK_SECRET_KEYS",
    secret: "sk_test_local",
    otherSecret: "sk_test_other",
    isTimed: false,
    body: ({ reference, amount, currency = "RWF", providerId = "302961", status = "succeeded" }) =>
      JSON.stringify({
        event: `charge.${{ succeeded: "success", failed: "failed", processing: "processing" }[status]}`,
        data: { id: providerId, reference, amount: amount * (currency === "RWF" ? 100 : 1), currency },
      }),
    headers: async (body, secret) => ({ "x-paystack-signature": await hmacOf("SHA-512", body, secret, "hex") }),
  },
};

/** Posts a body as it is, signed now and with the right secret unless something else is asked for. */
export async function post(
  intake: Intake,
  sender: Sender,
  body: string,
  { secret = sender.secret, at = new Date() }: { secret?: string; at?: Date } = {},
): Promise<Response> {
  const headers = { "content-type": "application/json", ...await sender.headers(body, secret, at) };
  return await intake.fetch(sender.path, { method: "POST", headers, body });
}

/** The receipt's body, after a 200. */
export async function receiptOf(answer: Response | Promise<Response>): Promise<Record<string, unknown>> {
  const response = await answer;
  if (response.status !== 200) throw new Error(`answered ${response.status} ${await response.text()}`);
  return await response.json();
}
