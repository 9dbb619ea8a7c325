/** A place, in degrees. */
export interface Coordinates {
  lat: number;
  lng: number;
}

/** From where to where, and how. */
export interface RouteRequest {
  origin: Coordinates;
  destination: Coordinates;
  travel_mode: "driving" | "moto" | "walking";
}

/** A way between two places. */
export interface Route {
  /** Who found it; `great_circle` is an estimate of our own. */
  provider: string;
  distance_meters: number;
  duration_seconds: number;
  /** Encoded polyline, precision 5; null if there is none. */
  polyline: string | null;
}

/** Why a provider gave no route: `no_route` is its answer, `unavailable` is none that can be used. */
export type RoutingFailure = { failure: "no_route" | "unavailable"; reason: string };

/** Who finds routes. Never throws for what the network or the provider does. */
export type RoutingProvider = (request: RouteRequest) => Promise<Route | RoutingFailure>;
