import { rpcResponse } from "shared/db/rpc.ts";
import { toBase64 } from "shared/base64.ts";
import { setting } from "shared/env.ts";
import { createApp } from "shared/http/app.ts";
import { indexOfSecret } from "shared/constant_time.ts";
import { query } from "shared/http/query.ts";
import { rawBody } from "shared/http/raw_body.ts";
import { returns } from "shared/http/returns.ts";
import { Problem } from "shared/problem.ts";
import { Handshake, Receipt } from "./schema.ts";
import { signedByMeta } from "./signed_by_meta.ts";
import { storableCopy } from "./storable_copy.ts";

/** Meta sends at most 3 MB (Webhooks: "Payload size"). */
const MAX_BYTES = 3 * 1024 * 1024;

const app = createApp("whatsapp-webhook");

app.get("/", query(Handshake), async (c) => {
  const { "hub.verify_token": token, "hub.challenge": challenge } = c.req.valid("query");
  if (await indexOfSecret(token, [setting("WHATSAPP_VERIFY_TOKEN")]) < 0) throw new Problem("forbidden");
  return c.text(challenge);
});

app.post(
  "/",
  rawBody({ maxBytes: MAX_BYTES }),
  signedByMeta(),
  returns({ 200: Receipt }),
  (c) =>
    rpcResponse(c, "ingest_whatsapp_delivery", {
      body_base64: toBase64(c.var.rawBody),
      sanitised_body: storableCopy(c.var.rawBody),
    }),
);

export default { fetch: app.fetch } satisfies Deno.ServeDefaultExport;
