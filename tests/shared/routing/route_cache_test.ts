import { assertEquals } from "@std/assert";
import { serviceRpc } from "shared/db/service_rpc.ts";
import { findRoute } from "shared/routing/find_route.ts";
import type { Route, RouteRequest, RoutingFailure } from "shared/routing/routing_provider.ts";
import { RequestTrace } from "shared/trace.ts";
import { developmentSettings, LOCAL_KEYS } from "../../../scripts/stack/development.ts";
import { createIdentify } from "../../../scripts/stack/identity.ts";
import { createRpc } from "../../../scripts/stack/rpc/handler.ts";
import { createTestDatabase } from "../../support/database.ts";
import { serve } from "../../support/loopback.ts";
import { useSettings } from "../../support/settings.ts";

const REQUEST: RouteRequest = {
  origin: { lat: -1.9441, lng: 30.0619 },
  destination: { lat: -1.9578, lng: 30.1123 },
  travel_mode: "moto",
};
const FOUND: Route = { provider: "osrm", distance_meters: 7_412, duration_seconds: 904, polyline: "_p~iF~ps|U" };

Deno.test("findRoute() asks once for places near each other, and keeps no estimate", async () => {
  const database = await createTestDatabase();
  const rpc = createRpc({ url: database.authenticatorUrl, identify: createIdentify(LOCAL_KEYS) });
  await using server = serve((request) => rpc.fetch(request));
  useSettings(developmentSettings(server.url, database.url));
  const call = serviceRpc("trips", new RequestTrace(new Headers()));
  let asked = 0;
  const routes: (Route | RoutingFailure)[] = [{ failure: "unavailable", reason: "timeout" }, FOUND];
  const providers = [() => Promise.resolve(routes[asked++]!)];
  const near = { ...REQUEST, origin: { lat: -1.94412, lng: 30.06192 } };

  const found = [];
  for (const request of [REQUEST, REQUEST, near]) found.push(await findRoute({ call, providers }, request));

  assertEquals(found.map(({ provider }) => provider), ["great_circle", "osrm", "osrm"]);
  assertEquals([found[2], asked], [FOUND, 2]);
  await rpc.close();
  await database.sql.end();
});
