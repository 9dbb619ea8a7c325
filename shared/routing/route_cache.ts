import type { ServiceRpc } from "../db/service_rpc.ts";
import { log } from "../log.ts";
import type { Route, RouteRequest } from "./routing_provider.ts";

/** A route that was found before between places near these, if the database can be asked. */
export async function cachedRoute(call: ServiceRpc, request: RouteRequest): Promise<Route | undefined> {
  try {
    const [found] = await call("get_cached_route", endsOf(request));
    if (!found) return undefined;
    const { provider, distance_meters, duration_seconds, polyline } = found as unknown as Route;
    return { provider, distance_meters, duration_seconds, polyline };
  } catch {
    log("routing.cache_unread", {}, "warn");
    return undefined;
  }
}

/** Keeps what a provider found for the next who asks; that it could not be kept is no reason not to go by it. */
export async function keepRoute(call: ServiceRpc, request: RouteRequest, route: Route): Promise<void> {
  const { provider, distance_meters, duration_seconds, polyline } = route;
  try {
    await call("save_route", {
      ...endsOf(request),
      provider,
      distance_meters,
      duration_seconds,
      ...(polyline === null ? {} : { polyline }),
    });
  } catch {
    log("routing.route_not_kept", { provider }, "warn");
  }
}

function endsOf({ origin, destination, travel_mode }: RouteRequest) {
  return {
    origin_lat: origin.lat,
    origin_lng: origin.lng,
    destination_lat: destination.lat,
    destination_lng: destination.lng,
    travel_mode,
  };
}
