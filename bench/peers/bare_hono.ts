import { Hono } from "hono";

const HMAC = { name: "HMAC", hash: "SHA-256" };

/** The least that a webhook can do: read the body, verify the signature with Web Crypto, answer. */
export function bareWebhook(secret: string): Hono {
  const key = crypto.subtle.importKey("raw", new TextEncoder().encode(secret), HMAC, false, ["verify"]);
  const app = new Hono();
  app.post("/whatsapp-webhook", async (c) => {
    const body = await c.req.arrayBuffer();
    const hex = c.req.header("x-hub-signature-256")?.slice("sha256=".length) ?? "";
    const signature = Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
    if (!await crypto.subtle.verify(HMAC, await key, signature, body)) return c.body(null, 401);
    return c.json({ received: true });
  });
  return app;
}
