import * as z from "zod";
import { setting } from "../../env.ts";
import type { OutboundFetch } from "../../outbound_fetch.ts";
import { below, type HttpProvider, notTaken, notTakenBy, post, type ProviderAnswer } from "../http_provider.ts";
import type { Delivery, NotTaken, Provider, SendOutcome } from "../provider.ts";
import type { EmailAddress } from "./email_address.ts";
import { AUTOMATIC, emailContent } from "./email_content.ts";
import { emailFrom } from "./email_from.ts";

const LIVE = "https://api.resend.com";

/**
 * What the status alone does not tell: the first request with this key is still under way; the key was used with other
 * words, so an e-mail went out; a quota that ends today or this month at the earliest.
 *
 * @see Resend, API reference: "Errors"
 */
const KINDS: Record<string, NotTaken["kind"]> = {
  concurrent_idempotent_requests: "temporary",
  invalid_idempotent_request: "unknown",
  daily_quota_exceeded: "rejected",
  monthly_quota_exceeded: "rejected",
};

const Accepted = z.object({ id: z.string().min(1) });
const Refusal = z.object({ name: z.string(), message: z.string().catch("") });

/** E-mail by Resend, which knows a delivery again for 24 hours; undefined without a key. */
export function resend(fetch: OutboundFetch): Provider<EmailAddress> | undefined {
  const apiKey = setting("RESEND_API_KEY", null);
  if (!apiKey) return undefined;
  const provider: HttpProvider = { name: "resend", fetch, isRepeatable: true };
  const { name, address } = emailFrom();
  const from = name ? `"${name}" <${address}>` : address;
  const url = below(setting("RESEND_API_URL", LIVE), "emails");
  return {
    async send(delivery: Delivery<EmailAddress>): Promise<SendOutcome> {
      const answer = await post(provider, {
        url,
        headers: { authorization: `Bearer ${apiKey}`, "idempotency-key": delivery.delivery_id },
        body: JSON.stringify({ from, to: [delivery.address.email], ...emailContent(delivery), headers: AUTOMATIC }),
        type: "application/json",
      });
      return answer.kind === "answered" ? outcomeOf(provider, answer) : answer;
    },
  };
}

function outcomeOf(provider: HttpProvider, answer: ProviderAnswer): SendOutcome {
  if (answer.status < 300) {
    const { data } = Accepted.safeParse(answer.json);
    if (data) return { kind: "sent", provider: provider.name, provider_message_id: data.id };
  }
  const { data } = Refusal.safeParse(answer.json);
  const words = { code: data?.name, detail: data?.message };
  const kind = data && KINDS[data.name];
  return kind ? notTaken(provider, kind, words, answer) : notTakenBy(provider, answer, words);
}
