import type { Context } from "hono";
import type { Json } from "shared/db/database.types.ts";
import { rpcResponse } from "shared/db/rpc.ts";
import type { RawBodyEnv } from "shared/http/raw_body.ts";
import type { PaymentEvent, ProviderName } from "shared/payments/payment_signal.ts";
import { callbackSignal } from "shared/payments/webhooks/mtn_momo.ts";
import { readable, sha256 } from "./stored_event.ts";
import type { SignedWebhook } from "./webhooks.ts";

/** Stores a signed delivery and applies what it says, in one call: 200 means that both are committed. */
export function ingest({ provider, eventOf }: SignedWebhook) {
  return async function ingest(c: Context<RawBodyEnv>): Promise<Response> {
    const event = await eventOf(c.var.rawBody, c.req.raw.headers);
    if (!event) return c.json({ received: true, duplicate: false, outcome: "ignored" });
    return await store(c, provider, event);
  };
}

/** Stores a callback of MTN's: nothing of it is believed, it only makes our own look-up of the payment due now. */
export async function ingestCallback(c: Context<RawBodyEnv>): Promise<Response> {
  const transaction_id = c.req.param("transaction_id");
  const callback = readable(c.var.rawBody) ?? null;
  const event = callbackSignal(callback, `${transaction_id}:${await sha256(c.var.rawBody)}`);
  return await store(c, "mtn_momo", { ...event, payload: { transaction_id, callback } });
}

async function store(
  c: Context,
  provider: ProviderName,
  { event_id, event_type, payload, signal }: PaymentEvent & { payload: object },
): Promise<Response> {
  return await rpcResponse(c, "ingest_payment_event", {
    provider,
    event_id,
    event_type,
    payload: payload as Json,
    signal: signal as Json,
  });
}
