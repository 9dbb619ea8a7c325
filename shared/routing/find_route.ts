import { estimateRoute } from "./great_circle.ts";
import type { Route, RouteRequest, RoutingProvider } from "./routing_provider.ts";

/**
 * The first route that one of the providers finds, in their order; else our own estimate, also where a provider says
 * that there is none: maps lack the paths that motos take. An estimate is not worth saving.
 */
export async function findRoute(providers: readonly RoutingProvider[], request: RouteRequest): Promise<Route> {
  for (const provider of providers) {
    const found = await provider(request);
    if (!("failure" in found)) return found;
  }
  return estimateRoute(request);
}
