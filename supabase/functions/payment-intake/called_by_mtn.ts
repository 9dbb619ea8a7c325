import { createMiddleware } from "hono/factory";
import { trust } from "shared/db/caller.ts";
import { settings } from "shared/env.ts";
import { describeRoute } from "shared/http/route_description.ts";
import { verifyCallback } from "shared/payments/webhooks/mtn_momo.ts";

/** Lets only callbacks through whose URL we made, before their body is read; what follows may use the secret key. */
export function calledByMtn() {
  return describeRoute(
    createMiddleware(async function calledByMtn(c, next) {
      const [transactionId, token] = [c.req.param("transaction_id"), c.req.param("token")];
      await verifyCallback(transactionId ?? "", token ?? "", settings("MTN_MOMO_CALLBACK_SECRETS"));
      trust(c, "mtn_momo");
      await next();
    }),
    { problems: ["signature_invalid", "not_configured"] },
  );
}
