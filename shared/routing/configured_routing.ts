import { setting } from "../env.ts";
import type { OutboundFetch } from "../outbound_fetch.ts";
import { osrm } from "./osrm.ts";
import type { RoutingProvider } from "./routing_provider.ts";

/** The routing providers that the settings name; none is fine, routes are estimated then. */
export function configuredRouting(fetch: OutboundFetch): RoutingProvider[] {
  const url = setting("ROUTING_API_URL", "");
  return url ? [osrm(fetch, url)] : [];
}
