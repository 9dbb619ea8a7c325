import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { guardedFetch } from "shared/http/guarded_fetch.ts";
import { configuredRouting } from "shared/routing/configured_routing.ts";
import { findRoute } from "shared/routing/find_route.ts";
import { estimateRoute, greatCircleMeters, ROAD_FACTOR } from "shared/routing/great_circle.ts";
import type { Route, RouteRequest } from "shared/routing/routing_provider.ts";
import { serve } from "../../support/loopback.ts";
import { captureLog } from "../../support/log_lines.ts";
import { useSettings } from "../../support/settings.ts";

const REQUEST: RouteRequest = {
  origin: { lat: -1.9441, lng: 30.0619 },
  destination: { lat: -1.9578, lng: 30.1123 },
  travel_mode: "moto",
};
const ANSWER = { code: "Ok", routes: [{ distance: 7_412.3, duration: 904.5, geometry: "_p~iF~ps|U" }] };

const settings = { ROUTING_API_URL: "", OUTBOUND_ALLOWED_HOSTS: "" };
useSettings(settings);

/** The database is away, which costs nobody a route. */
function away(): Promise<never> {
  return Promise.reject(new Error("away"));
}

captureLog();

function find(url: string, host: string): Promise<Route> {
  Object.assign(settings, { ROUTING_API_URL: url, OUTBOUND_ALLOWED_HOSTS: host });
  return findRoute({ call: away, providers: configuredRouting(guardedFetch) }, REQUEST);
}

/** What comes of asking a server that answers like this. */
async function ask(handler: (request: Request) => Response | Promise<Response>): Promise<Route> {
  await using server = serve(handler);
  return await find(`${server.url}/`, server.host);
}

Deno.test("findRoute() asks an OSRM server for the way, longitude first", async () => {
  let asked = "";

  const route = await ask(({ url }) => {
    asked = new URL(url).pathname + new URL(url).search;
    return Response.json(ANSWER);
  });

  assertEquals(asked, "/route/v1/driving/30.061900,-1.944100;30.112300,-1.957800?overview=full&geometries=polyline");
  assertEquals(route, {
    provider: "osrm",
    distance_meters: 7_412.3,
    duration_seconds: 904.5,
    polyline: "_p~iF~ps|U",
  });
});

const MISBEHAVIOUR: Record<string, (request: Request) => Response | Promise<Response>> = {
  "knows no way": () => Response.json({ code: "NoRoute" }, { status: 400 }),
  "is broken": () => new Response("<h1>502</h1>", { status: 502 }),
  "answers nothing": () => new Response(""),
  "answers null": () => Response.json(null),
  "gives no routes": () => Response.json({ code: "Ok", routes: [] }),
  "gives a route of nothing": () => Response.json({ code: "Ok", routes: [null] }),
  "gives words for numbers": () => Response.json({ code: "Ok", routes: [{ distance: "7412", duration: 904 }] }),
  "gives a distance below zero": () => Response.json({ code: "Ok", routes: [{ distance: -1, duration: 904 }] }),
  "gives less than the straight line": () => Response.json({ code: "Ok", routes: [{ distance: 10, duration: 904 }] }),
  "drives faster than anybody can": () => Response.json({ code: "Ok", routes: [{ distance: 7_412, duration: 1 }] }),
  "sends elsewhere": () => new Response(null, { status: 302, headers: { location: "http://169.254.169.254/" } }),
  "answers too much": () => new Response("x".repeat(600 * 1024)),
};
for (const [fault, handler] of Object.entries(MISBEHAVIOUR)) {
  Deno.test(`findRoute() estimates where the provider ${fault}`, async () => {
    assertEquals(await ask(handler), estimateRoute(REQUEST));
  });
}

Deno.test("findRoute() keeps the distance and leaves out a line that is none", async () => {
  const route = await ask(() => Response.json({ ...ANSWER, routes: [{ ...ANSWER.routes[0], geometry: "a b\n" }] }));

  assertEquals([route.provider, route.polyline], ["osrm", null]);
});

Deno.test("findRoute() estimates where nobody answers, and where no provider is set", async () => {
  assertEquals(await find("http://127.0.0.1:9", "127.0.0.1:9"), estimateRoute(REQUEST));
  assertEquals(await find("https://not.allowed.example", ""), estimateRoute(REQUEST));
  assertEquals(await find("", ""), estimateRoute(REQUEST));
});

Deno.test("estimateRoute() is the great circle times the road factor, in any direction", () => {
  const place = fc.record({
    lat: fc.double({ min: -90, max: 90, noNaN: true }),
    lng: fc.double({ min: -180, max: 180, noNaN: true }),
  });
  fc.assert(fc.property(place, place, (origin, destination) => {
    const there = estimateRoute({ origin, destination, travel_mode: "driving" });
    const back = estimateRoute({ origin: destination, destination: origin, travel_mode: "driving" });
    assertEquals(there.distance_meters, ROAD_FACTOR * greatCircleMeters(origin, destination));
    assert(Math.abs(there.distance_meters - back.distance_meters) < 0.001);
  }));
});
