import { createMiddleware } from "hono/factory";
import { trust } from "shared/db/caller.ts";
import { settings } from "shared/env.ts";
import type { RawBodyEnv } from "shared/http/raw_body.ts";
import { describeRoute } from "shared/http/route_description.ts";
import type { SignedWebhook } from "./webhooks.ts";

/** Lets only bodies through that the provider signed; what follows may use the secret key. Without secrets nobody gets in. */
export function signedBy({ provider, secrets, verify }: SignedWebhook) {
  return describeRoute(
    createMiddleware<RawBodyEnv>(async function signedBy(c, next) {
      await verify(c.var.rawBody, c.req.raw.headers, settings(secrets), new Date());
      trust(c, provider);
      await next();
    }),
    { problems: ["signature_invalid", "not_configured"] },
  );
}
