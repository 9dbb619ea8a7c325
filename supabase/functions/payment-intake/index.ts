import { rpc, rpcResponse } from "shared/db/rpc.ts";
import { createApp } from "shared/http/app.ts";
import { auth } from "shared/http/auth.ts";
import { body } from "shared/http/body.ts";
import { idempotencyKey } from "shared/http/idempotency_key.ts";
import { param, query } from "shared/http/query.ts";
import { rawBody } from "shared/http/raw_body.ts";
import { returns } from "shared/http/returns.ts";
import { askProvider } from "./ask_provider.ts";
import { availableProviders } from "./available_providers.ts";
import { calledByMtn } from "./called_by_mtn.ts";
import { ingest, ingestCallback } from "./ingest.ts";
import * as wire from "./schema.ts";
import { signedBy } from "./signed_by.ts";
import { WEBHOOKS } from "./webhooks.ts";

const app = createApp("payment-intake");

app.post(
  "/payments",
  auth("user"),
  idempotencyKey(),
  body(wire.CreatePayment),
  returns({ 201: wire.Payment }, { summary: "Pay, top up or pay out" }),
  async (c) => {
    const payment = c.req.valid("json");
    const providers = availableProviders(payment.method);
    const created = await rpc(c, "create_transaction", {
      type: payment.type,
      amount: payment.amount,
      currency: payment.currency,
      method: payment.method,
      to_account_id: payment.to_account_id,
      from_account_id: payment.from_account_id,
      phone: payment.phone,
      description: payment.description,
      metadata: payment.metadata,
      idempotency_key: c.var.idempotencyKey,
    });
    return c.json(await askProvider(c, created as wire.Payment, providers), 201);
  },
);

app.get(
  "/payments",
  auth("user"),
  query(wire.PaymentFilter),
  returns({ 200: wire.PaymentPage }, { summary: "One's own payments, the latest first; an operator's: everybody's" }),
  (c) => rpcResponse(c, "list_transactions", c.req.valid("query")),
);

app.get(
  "/payments/:id",
  auth("user"),
  param(wire.PaymentPath),
  returns({ 200: wire.Payment }, { summary: "One payment: one's own, or for an operator anybody's" }),
  (c) => rpcResponse(c, "get_transaction", { transaction_id: c.req.valid("param").id }),
);

app.post(
  "/payments/:id/cancel",
  auth("user"),
  param(wire.PaymentPath),
  returns({ 200: wire.Payment }, { summary: "Give up a payment that has not been paid" }),
  (c) => rpcResponse(c, "cancel_transaction", { transaction_id: c.req.valid("param").id }),
);

app.post(
  "/payments/:id/refunds",
  auth("operator", "secret"),
  idempotencyKey(),
  param(wire.PaymentPath),
  body(wire.CreateRefund),
  returns({ 201: wire.Payment }, { summary: "Give a payment back, or part of it" }),
  async (c) => {
    const { amount, reason } = c.req.valid("json");
    const created = await rpc(c, "create_refund", {
      transaction_id: c.req.valid("param").id,
      amount,
      reason,
      idempotency_key: c.var.idempotencyKey,
    });
    return c.json(await askProvider(c, created as wire.Payment), 201);
  },
);

for (const [path, webhook] of Object.entries(WEBHOOKS)) {
  app.post(`/webhooks/${path}`, rawBody(), signedBy(webhook), returns({ 200: wire.Receipt }), ingest(webhook));
}

app.on(
  ["PUT", "POST"],
  "/webhooks/mtn-momo/:transaction_id/:token",
  param(wire.CallbackPath),
  calledByMtn(),
  rawBody(),
  returns({ 200: wire.Receipt }),
  ingestCallback,
);

export default { fetch: app.fetch } satisfies Deno.ServeDefaultExport;
