import type { FetchLike } from "../graph/deliver.ts";
import type { Random } from "../random.ts";

/** An event that Stripe is to tell of. */
export interface StripeEvent {
  id: string;
  type: string;
  created: number;
  data: { object: Record<string, unknown> };
}

/** Where events go. */
export interface StripeWebhook {
  target: string | FetchLike;
  /** `whsec_...` */
  secret: string;
}

/** Events on their way to a webhook. What it does not answer with 2xx stays, as Stripe keeps it for three days. */
export class StripeEvents {
  #pending: StripeEvent[] = [];

  constructor(readonly webhook: StripeWebhook | undefined, readonly random: Random) {}

  add(type: string, object: Record<string, unknown>): void {
    const created = Math.floor(Date.now() / 1000);
    this.#pending.push({ id: `evt_${this.random.token(24)}`, type, created, data: { object } });
  }

  /** Brings all that is pending. */
  async deliver({ copies = 1, shuffled = false }: { copies?: number; shuffled?: boolean } = {}): Promise<void> {
    const taken = this.#pending.splice(0);
    const copied = Array.from({ length: copies }, () => taken).flat();
    const lost = new Set<StripeEvent>();
    for (const event of shuffled ? this.random.shuffle(copied) : copied) {
      if (!await this.#post(event)) lost.add(event);
    }
    this.#pending.push(...lost);
  }

  async #post(event: StripeEvent): Promise<boolean> {
    if (!this.webhook) return true;
    const { target, secret } = this.webhook;
    const [bring, url] = typeof target === "string" ? [fetch, target] : [target, "http://127.0.0.1/stripe"];
    const body = JSON.stringify({ object: "event", ...event });
    const headers = { "content-type": "application/json", "stripe-signature": await signatureOf(body, secret) };
    try {
      const answer = await bring(new Request(url, { method: "POST", headers, body }));
      await answer.body?.cancel();
      return answer.ok;
    } catch {
      return false;
    }
  }
}

/** `t=<unix>,v1=<hex>` over `<t>.<body>`. */
async function signatureOf(body: string, secret: string): Promise<string> {
  const [time, encoder] = [Math.floor(Date.now() / 1000), new TextEncoder()];
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(`${time}.${body}`)));
  return `t=${time},v1=${Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
