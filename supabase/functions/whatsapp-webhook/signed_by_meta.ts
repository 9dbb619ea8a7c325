import { createMiddleware } from "hono/factory";
import { trust } from "shared/db/caller.ts";
import { settings } from "shared/env.ts";
import type { RawBodyEnv } from "shared/http/raw_body.ts";
import { describeRoute } from "shared/http/route_description.ts";
import { Problem } from "shared/problem.ts";
import { isSignedByMeta } from "shared/whatsapp/signature.ts";

/** Lets only bodies through that Meta signed; what follows may use the secret key. Without secrets nobody gets in. */
export function signedByMeta() {
  return describeRoute(
    createMiddleware<RawBodyEnv>(async function signedByMeta(c, next) {
      const secrets = settings("WHATSAPP_APP_SECRETS");
      if (!await isSignedByMeta(c.var.rawBody, c.req.header("x-hub-signature-256"), secrets)) {
        throw new Problem("signature_invalid");
      }
      trust(c, "meta");
      await next();
    }),
    { problems: ["signature_invalid", "not_configured"] },
  );
}
