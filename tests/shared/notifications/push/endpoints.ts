import { guardedFetch } from "shared/http/guarded_fetch.ts";
import type { SendOutcome } from "shared/notifications/provider.ts";
import type { PushAddress, PushEndpoint } from "shared/notifications/push/push_address.ts";
import { type ExpoTicket, pushProvider } from "shared/notifications/push/push_provider.ts";
import type { Delivery } from "shared/notifications/provider.ts";
import type { OutboundFetch } from "shared/outbound_fetch.ts";
import { deliveryTo } from "../deliveries.ts";

/** An app's endpoint. */
export function app(token: string): PushEndpoint {
  return { id: `id of ${token}`, service: "expo", address: { token: `ExponentPushToken[${token}]` } };
}

/** A browser's endpoint. */
export function browser(
  id: string,
  address: { endpoint: string; keys: { p256dh: string; auth: string } },
): PushEndpoint {
  return { id, service: "web_push", address };
}

/** Sends to these endpoints; says what became of it which of them are gone, and what Expo has to tell of later. */
export async function push(
  endpoints: PushEndpoint[],
  fields: Partial<Delivery<PushAddress>> = {},
  fetch: OutboundFetch = (url, init) => guardedFetch(url, { ...init, timeoutMs: 250 }),
): Promise<{ outcome: SendOutcome; gone: string[]; tickets: ExpoTicket[] }> {
  const gone: string[] = [];
  const tickets: ExpoTicket[] = [];
  const provider = pushProvider({
    fetch,
    onGone(ids) {
      gone.push(...ids);
      return Promise.resolve();
    },
    onTickets(taken) {
      tickets.push(...taken);
      return Promise.resolve();
    },
  });
  return { outcome: await provider.send(deliveryTo({ endpoints }, fields)), gone, tickets };
}
