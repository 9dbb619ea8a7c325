import { assertEquals } from "@std/assert";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { developmentSettings, LOCAL_KEYS } from "../../scripts/stack/development.ts";
import { createIdentify } from "../../scripts/stack/identity.ts";
import { createRpc } from "../../scripts/stack/rpc/handler.ts";
import { createUser } from "../sql/foundation/people.ts";
import { DROPOFF, openDriver, openRider, PICKUP, type Trip } from "../sql/trips/trips.ts";
import { standingOf } from "../sql/wallet/wallets.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { useSettings } from "../support/settings.ts";
import { signedIn } from "../support/signed_in.ts";

/** Somebody with our app, signed in. */
interface User {
  /** Of the profile. */
  id: string;
  account: string;
  client: SupabaseClient;
}

/** Two riders and two drivers, each with an app of their own, over the API as the platform serves it. */
interface Apps {
  sql: TestDatabase["sql"];
  rider: User;
  driver: User;
  otherRider: User;
  otherDriver: User;
  nobody: SupabaseClient;
}

appsTest("a rider and a driver ride together, each by their own app", async ({ sql, rider, driver }) => {
  const requested = await request(rider);
  const [offer] = await call<{ trip_id: string }[]>(driver, "list_trip_offers");
  const moved = [];
  for (const move of ["accept_trip", "arrive_trip", "start_trip", "complete_trip"]) {
    moved.push(await call<Trip>(driver, move, { trip_id: offer!.trip_id }));
  }
  await call(rider, "rate_trip", { trip_id: requested.id, stars: 5 });

  assertEquals([requested.status, offer!.trip_id], ["offered", requested.id]);
  assertEquals(moved.map(({ status }) => status), ["accepted", "arrived", "started", "completed"]);
  const seen = await call<Trip>(rider, "get_trip", { trip_id: requested.id });
  assertEquals([seen.status, seen.payment_status, seen.driver!.id], ["completed", "paid", driver.id]);
  assertEquals((await standingOf(sql, rider.account))[0], 100_000 - requested.fare_amount);
});

appsTest(
  "everybody is told of their own trips and offers alone",
  async (apps) => {
    const { rider, driver, otherRider, otherDriver, nobody } = apps;
    const trip = await request(rider);
    const offered = await Promise.all([rider, driver, otherRider, otherDriver].map(offersOf));
    await call(driver, "accept_trip", { trip_id: trip.id });

    const listed = await Promise.all([rider, driver, otherRider, otherDriver].map(tripsOf));
    const [ofRider] = await call<Trip[]>(rider, "list_trips");
    const [ofDriver] = await call<Trip[]>(driver, "list_trips");

    assertEquals(offered, [[], [trip.id], [], [trip.id]]);
    assertEquals(listed, [[trip.id], [trip.id], [], []]);
    assertEquals((await offersOf(otherDriver)).length, 0);
    assertEquals([ofRider!.driver!.id, ofRider!.rider], [driver.id, null]);
    assertEquals([ofDriver!.rider!.id, ofDriver!.driver], [rider.id, null]);
    for (const name of ["list_trips", "list_trip_offers"]) assertEquals((await nobody.rpc(name)).error?.code, "42501");
  },
);

appsTest("other people's trips and ids are refused, by every call", async (apps) => {
  const { sql, rider, driver, otherRider, otherDriver } = apps;
  const { id: trip_id } = await request(rider);
  await call(driver, "accept_trip", { trip_id });

  for (const stranger of [otherRider, otherDriver]) {
    assertEquals(await refusalOf(stranger, "get_trip", { trip_id }), "trip_not_found");
    assertEquals(await refusalOf(stranger, "cancel_trip", { trip_id, reason: "other" }), "trip_not_found");
    assertEquals(await refusalOf(stranger, "arrive_trip", { trip_id }), "trip_not_found");
    assertEquals(await refusalOf(stranger, "start_trip", { trip_id }), "trip_not_found");
    assertEquals(await refusalOf(stranger, "complete_trip", { trip_id }), "trip_not_found");
    assertEquals(await refusalOf(stranger, "pay_trip", { trip_id }), "trip_not_found");
    assertEquals(await refusalOf(stranger, "rate_trip", { trip_id, stars: 1 }), "trip_not_found");
    assertEquals(await refusalOf(stranger, "accept_trip", { trip_id }), "trip_taken");
    assertEquals(
      await refusalOf(stranger, "cancel_trip", { trip_id, reason: "other", actor_id: rider.id }),
      "profile_not_found",
    );
    assertEquals(await refusalOf(stranger, "list_trips", { actor_id: rider.id }), "profile_not_found");
    assertEquals(await refusalOf(stranger, "arrive_trip", { trip_id, driver_id: driver.id }), "profile_not_found");
    assertEquals(await refusalOf(stranger, "offer_trip", { trip_id, driver_ids: [stranger.id] }), "operator_required");
  }
  assertEquals(await refusalOf(otherRider, "request_trip", wish({ rider_id: rider.id })), "profile_not_found");
  const [row] = await sql`select status, driver_id from public.trips`;
  assertEquals({ ...row }, { status: "accepted", driver_id: driver.id });
});

/** A test with all of that; whatever it opens is closed when it ends. */
function appsTest(name: string, body: (apps: Apps) => Promise<void>): void {
  Deno.test(name, async () => {
    const database = await createTestDatabase();
    const rpc = createRpc({ url: database.authenticatorUrl, identify: createIdentify(LOCAL_KEYS) });
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => rpc.fetch(request));
    const url = `http://127.0.0.1:${server.addr.port}`;
    useSettings(developmentSettings(url, database.url));
    try {
      await body(await appsOver(database, url));
    } finally {
      await server.shutdown();
      await rpc.close();
      await database.sql.end();
    }
  });
}

async function appsOver({ sql }: TestDatabase, url: string): Promise<Apps> {
  async function user({ id, account }: { id: string; account: string }): Promise<User> {
    const userId = await sql.begin((sql) => createUser(sql));
    await sql`update public.profiles set user_id = ${userId} where id = ${id}`;
    const token = await signedIn(userId);
    const client = createClient(url, LOCAL_KEYS.publishableKey, { accessToken: () => Promise.resolve(token) });
    return { id, account, client };
  }
  return {
    sql,
    rider: await user(await openRider(sql)),
    otherRider: await user(await openRider(sql)),
    driver: await user(await openDriver(sql)),
    otherDriver: await user(await openDriver(sql)),
    nobody: createClient(url, LOCAL_KEYS.publishableKey, { auth: { persistSession: false, autoRefreshToken: false } }),
  };
}

function wish(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    pickup_lat: PICKUP.lat,
    pickup_lng: PICKUP.lng,
    dropoff_lat: DROPOFF.lat,
    dropoff_lng: DROPOFF.lng,
    vehicle_type: "moto",
    payment_method: "wallet",
    idempotency_key: crypto.randomUUID(),
    ...fields,
  };
}

async function request(rider: User): Promise<Trip> {
  return await call<Trip>(rider, "request_trip", wish());
}

async function tripsOf(user: User): Promise<string[]> {
  return (await call<Trip[]>(user, "list_trips")).map(({ id }) => id);
}

async function offersOf(user: User): Promise<string[]> {
  return (await call<{ trip_id: string }[]>(user, "list_trip_offers")).map(({ trip_id }) => trip_id);
}

async function call<T>({ client }: User, name: string, args: Record<string, unknown> = {}): Promise<T> {
  const { data, error } = await client.rpc(name, args);
  if (error) throw new Error(`${name}: ${error.code}`);
  return data as T;
}

async function refusalOf({ client }: User, name: string, args: Record<string, unknown>): Promise<string | undefined> {
  return (await client.rpc(name, args)).error?.code;
}
