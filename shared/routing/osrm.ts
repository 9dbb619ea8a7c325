import { failureOfFetch } from "../fetch_failure.ts";
import { jsonOf } from "../json_of.ts";
import type { OutboundFetch } from "../outbound_fetch.ts";
import { greatCircleMeters } from "./great_circle.ts";
import type { Route, RouteRequest, RoutingFailure, RoutingProvider } from "./routing_provider.ts";

const TIMEOUT_MS = 3_000;
const MAX_BYTES = 512 * 1024;
const MAX_POLYLINE = 200_000;
/** OSRM moves the ends to the nearest road; more than that short of the straight line is no way between them. */
const SNAP_METERS = 1_000;
/** Metres per second; nobody drives faster. */
const FASTEST = 60;
const PROFILE = { driving: "driving", moto: "driving", walking: "foot" };

/**
 * A server that speaks OSRM's HTTP API.
 *
 * @param baseUrl - such as `https://router.example.com`
 * @see OSRM, HTTP API, "Route service"
 */
export function osrm(fetch: OutboundFetch, baseUrl: string): RoutingProvider {
  return async function findRoute(request) {
    try {
      const answer = await fetch(routeUrl(baseUrl, request), {
        headers: { accept: "application/json" },
        timeoutMs: TIMEOUT_MS,
        maxBytes: MAX_BYTES,
      });
      return readAnswer(request, jsonOf(await answer.text()), answer.status);
    } catch (thrown) {
      return { failure: "unavailable", reason: failureOfFetch(thrown).reason };
    }
  };
}

function routeUrl(baseUrl: string, { origin, destination, travel_mode }: RouteRequest): URL {
  const ends = [origin, destination].map(({ lat, lng }) => `${lng.toFixed(6)},${lat.toFixed(6)}`).join(";");
  return new URL(
    `${baseUrl.replace(/\/+$/, "")}/route/v1/${PROFILE[travel_mode]}/${ends}?overview=full&geometries=polyline`,
  );
}

interface OsrmRoute {
  distance?: unknown;
  duration?: unknown;
  geometry?: unknown;
}

/** Believes only what can be a route between these ends. */
function readAnswer(request: RouteRequest, json: unknown, status: number): Route | RoutingFailure {
  const { code, routes } = (json ?? {}) as { code?: unknown; routes?: unknown };
  if (code === "NoRoute" || code === "NoSegment") return { failure: "no_route", reason: code };
  if (status !== 200 || code !== "Ok" || !Array.isArray(routes)) return unavailable(`status ${status}`);
  const { distance, duration, geometry } = (routes[0] ?? {}) as OsrmRoute;
  if (!isQuantity(distance) || !isQuantity(duration)) return unavailable("no distance or duration");
  const straight = greatCircleMeters(request.origin, request.destination);
  if (distance < straight - 2 * SNAP_METERS || duration * FASTEST < distance) return unavailable("implausible");
  return {
    provider: "osrm",
    distance_meters: distance,
    duration_seconds: duration,
    polyline: isPolyline(geometry) ? geometry : null,
  };
}

function unavailable(reason: string): RoutingFailure {
  return { failure: "unavailable", reason };
}

function isQuantity(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function isPolyline(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_POLYLINE && /^[?-~]+$/.test(value);
}
