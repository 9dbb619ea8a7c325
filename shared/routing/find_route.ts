import type { ServiceRpc } from "../db/service_rpc.ts";
import { estimateRoute } from "./great_circle.ts";
import { cachedRoute, keepRoute } from "./route_cache.ts";
import type { Route, RouteRequest, RoutingProvider } from "./routing_provider.ts";

/** Who is asked for routes. */
export interface Routing {
  /** Reaches the routes that were found before. */
  call: ServiceRpc;
  /** In the order in which they are asked. */
  providers: readonly RoutingProvider[];
}

/**
 * A route that was found before between places near these; else the first that one of the providers finds, which is kept;
 * else our own estimate, also where a provider says that there is none: maps lack the paths that motos take. An estimate
 * is not kept.
 */
export async function findRoute({ call, providers }: Routing, request: RouteRequest): Promise<Route> {
  // Estimating costs less than asking, and nothing was kept where nobody finds routes.
  if (providers.length === 0) return estimateRoute(request);
  const cached = await cachedRoute(call, request);
  if (cached) return cached;
  for (const provider of providers) {
    const found = await provider(request);
    if ("failure" in found) continue;
    await keepRoute(call, request, found);
    return found;
  }
  return estimateRoute(request);
}
