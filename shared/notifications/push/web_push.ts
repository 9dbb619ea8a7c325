import { encryptNotification } from "@block65/webcrypto-web-push";
import { setting } from "../../env.ts";
import type { OutboundFetch } from "../../outbound_fetch.ts";
import { type HttpProvider, notTaken, notTakenBy, post, type ProviderAnswer } from "../http_provider.ts";
import type { Delivery, NotTaken } from "../provider.ts";
import { secondsToLive } from "../seconds_to_live.ts";
import type { WebPushEndpoint } from "./push_address.ts";
import { pushContent } from "./push_content.ts";
import { type EndpointOutcome, LONGEST_SECONDS, type PushService } from "./push_service.ts";
import { type VapidTokens, vapidTokens } from "./vapid_tokens.ts";
import { isAtPushService } from "./web_push_hosts.ts";

const ENCODER = new TextEncoder();
/** The subscription has ended: Not Found, Gone (RFC 8030, section 7.3). */
const GONE = [404, 410];

/**
 * Browsers, by their push services (RFC 8030) with a key of ours (RFC 8292); undefined without one. A repeated message
 * takes the place of the first: in the service by its topic, on the screen by its tag.
 */
export function webPush(fetch: OutboundFetch): PushService<WebPushEndpoint> | undefined {
  const privateKey = setting("VAPID_PRIVATE_KEY", null);
  if (!privateKey) return undefined;
  const provider: HttpProvider = { name: "web_push", fetch, isRepeatable: true };
  const tokens = vapidTokens({
    privateKey,
    publicKey: setting("VAPID_PUBLIC_KEY"),
    subject: setting("VAPID_SUBJECT"),
  });
  return (delivery, endpoints) => Promise.all(endpoints.map((endpoint) => send(provider, tokens, delivery, endpoint)));
}

async function send(
  provider: HttpProvider,
  tokens: VapidTokens,
  delivery: Delivery<unknown>,
  { id, address: { endpoint, keys: theirs } }: WebPushEndpoint,
): Promise<EndpointOutcome> {
  if (!isAtPushService(endpoint)) {
    return { id, outcome: notTaken(provider, "rejected", { code: "not_a_push_service" }) };
  }
  const subscription = { endpoint, expirationTime: null, keys: theirs };
  const authorization = await tokens(subscription);
  if (!authorization) return { id, outcome: notTaken(provider, "not_configured", { code: "invalid_vapid_key" }) };
  // Not padded: people pay for their data, and a push service learns little from a length.
  const body = await encryptNotification(subscription, contentOf(delivery), { pad: false }).catch(() => undefined);
  if (!body) return { id, outcome: notTaken(provider, "rejected", { code: "invalid_subscription" }), isGone: true };
  const headers = { ...authorization, ...headersOf(delivery) };
  const answer = await post(provider, { url: endpoint, headers, body, type: "application/octet-stream" });
  return outcomeOf(provider, id, answer);
}

function outcomeOf(provider: HttpProvider, id: string, answer: ProviderAnswer | NotTaken): EndpointOutcome {
  if (answer.kind !== "answered") return { id, outcome: answer };
  const { status, headers } = answer;
  if (status < 200 || status > 299) return { id, outcome: notTakenBy(provider, answer), isGone: GONE.includes(status) };
  return { id, outcome: { kind: "sent", provider: provider.name, provider_message_id: headers.get("location") } };
}

/** What a service worker may give to `showNotification()` as it is. */
function contentOf(delivery: Delivery<unknown>): Uint8Array {
  return ENCODER.encode(JSON.stringify({ ...pushContent(delivery), tag: delivery.delivery_id }));
}

function headersOf({ delivery_id, is_critical, expires_at }: Delivery<unknown>): Record<string, string> {
  return {
    "content-encoding": "aes128gcm",
    ttl: String(secondsToLive(expires_at, new Date(), LONGEST_SECONDS)),
    urgency: is_critical ? "high" : "normal",
    topic: delivery_id.replaceAll("-", ""),
  };
}
