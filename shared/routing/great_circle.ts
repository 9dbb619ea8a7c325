import type { Coordinates, Route, RouteRequest } from "./routing_provider.ts";

/** The mean radius of the Earth (IUGG), as in SQL. */
const EARTH_RADIUS_METERS = 6_371_008.8;
/** How much longer roads are than the straight line: ours, for hilly towns; published means lie between 1.2 and 1.6. */
export const ROAD_FACTOR = 1.4;
/** Door to door in town, not the limits: metres per second. */
const SPEED = { driving: 6.5, moto: 7.5, walking: 1.3 };

/** The great-circle distance between two places, in metres (haversine). */
export function greatCircleMeters(from: Coordinates, to: Coordinates): number {
  const share = halfSine(to.lat - from.lat) +
    Math.cos(radians(from.lat)) * Math.cos(radians(to.lat)) * halfSine(to.lng - from.lng);
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.sqrt(Math.min(1, share)));
}

/** What a route is likely to be when nobody can be asked: the straight line, times `ROAD_FACTOR`. */
export function estimateRoute({ origin, destination, travel_mode }: RouteRequest): Route {
  const distance_meters = greatCircleMeters(origin, destination) * ROAD_FACTOR;
  return {
    provider: "great_circle",
    distance_meters,
    duration_seconds: distance_meters / SPEED[travel_mode],
    polyline: null,
  };
}

function halfSine(degrees: number): number {
  return Math.sin(radians(degrees) / 2) ** 2;
}

function radians(degrees: number): number {
  return degrees * Math.PI / 180;
}
