import type { OutboundFetch } from "../../outbound_fetch.ts";
import { faultOf } from "../chosen_provider.ts";
import type { Delivery, NotTaken, Provider, SendOutcome } from "../provider.ts";
import { expo } from "./expo.ts";
import type { ExpoEndpoint, PushAddress, PushEndpoint, WebPushEndpoint } from "./push_address.ts";
import type { EndpointOutcome, PushService } from "./push_service.ts";
import { webPush } from "./web_push.ts";

/** What counts most when no endpoint took a delivery: what may still work, then what may have. */
const BY_HOPE: readonly SendOutcome["kind"][] = ["sent", "temporary", "unknown", "rejected", "not_configured"];

/** What the push provider needs besides settings. */
export interface PushOptions {
  fetch: OutboundFetch;
  /** Hears of endpoints that their service calls gone. */
  onGone: (endpointIds: string[]) => Promise<void>;
  /** Hears of what Expo took, of which a receipt tells later. */
  onTickets: (tickets: ExpoTicket[]) => Promise<void>;
}

/** What Expo took for an endpoint. */
export interface ExpoTicket {
  ticket_id: string;
  endpoint_id: string;
}

/**
 * Push messages to all of a person's devices and browsers: Expo's tokens by Expo, subscriptions by their push services.
 * A delivery is sent if one endpoint took it.
 */
export function pushProvider({ fetch, onGone, onTickets }: PushOptions): Provider<PushAddress> {
  const services = {
    expo: orUnset(() => expo(fetch)),
    web_push: orUnset<WebPushEndpoint>(() => webPush(fetch)),
  };
  return {
    async send(delivery): Promise<SendOutcome> {
      const { endpoints } = delivery.address;
      const [apps, browsers] = [endpoints.filter(isApp), endpoints.filter(isBrowser)];
      const outcomes = (await Promise.all([
        apps.length > 0 ? services.expo(delivery, apps) : [],
        browsers.length > 0 ? services.web_push(delivery, browsers) : [],
      ])).flat();
      const gone = outcomes.filter(({ isGone }) => isGone).map(({ id }) => id);
      if (gone.length > 0) await onGone(gone);
      const tickets = outcomes.flatMap(ticketOf);
      if (tickets.length > 0) await onTickets(tickets);
      return mostHopeful(outcomes);
    },
  };
}

function ticketOf({ id, outcome }: EndpointOutcome): ExpoTicket[] {
  if (outcome.kind !== "sent" || outcome.provider !== "expo" || !outcome.provider_message_id) return [];
  return [{ ticket_id: outcome.provider_message_id, endpoint_id: id }];
}

function mostHopeful(outcomes: readonly EndpointOutcome[]): SendOutcome {
  const hopes = outcomes.map(({ outcome }) => BY_HOPE.indexOf(outcome.kind));
  return outcomes[hopes.indexOf(Math.min(...hopes))]?.outcome ?? { kind: "rejected", code: "no_endpoint" };
}

/** A service that is not set says so of every endpoint. */
function orUnset<Endpoint extends PushEndpoint>(make: () => PushService<Endpoint> | undefined): PushService<Endpoint> {
  let detail = "VAPID_PRIVATE_KEY is not set";
  try {
    const service = make();
    if (service) return service;
  } catch (error) {
    detail = faultOf(error);
  }
  const outcome: NotTaken = { kind: "not_configured", detail };
  return (_delivery: Delivery<unknown>, endpoints) => Promise.resolve(endpoints.map(({ id }) => ({ id, outcome })));
}

function isApp(endpoint: PushEndpoint): endpoint is ExpoEndpoint {
  return endpoint.service === "expo";
}

function isBrowser(endpoint: PushEndpoint): endpoint is WebPushEndpoint {
  return endpoint.service === "web_push";
}
