import { assert, assertEquals } from "@std/assert";
import type { TransactionSql } from "postgres";
import { as, createTestDatabase, rolledBack } from "../../support/database.ts";
import { register } from "../services/services.ts";

const database = await createTestDatabase();
const test = (name: string, body: Parameters<typeof rolledBack>[1]) => Deno.test(name, rolledBack(database, body));

/** What the scraper, who has the secret key, is told of one metric: labels as `a=b,c=d` -> value. */
async function told(sql: TransactionSql, name: string): Promise<Record<string, number>> {
  const [row] = await as(
    sql,
    "service_role",
    {},
    (role) => role`select samples from public.metric_samples() where name = ${`easymo_${name}`}`,
  );
  return Object.fromEntries(
    (row?.samples ?? []).map((
      { labels, value }: { labels: Record<string, unknown>; value: number },
    ) => [Object.entries(labels).map((pair) => pair.join("=")).sort().join(), value]),
  );
}

test("services are told by status, and whether any instance is usable", async (sql) => {
  await as(sql, "service_role", {}, (role) => register(role, { instance_id: "one" }));
  await as(sql, "service_role", {}, (role) => register(role, { instance_id: "two" }));
  await sql`update public.service_registry set status = 'critical' where instance_id = 'one'`;
  assertEquals(await told(sql, "service_critical"), { "service=rides": 0 });
  await sql`update public.service_registry set status = 'critical'`;

  assertEquals(await told(sql, "service_critical"), { "service=rides": 1 });
  assertEquals((await told(sql, "service_instances"))["service=rides,status=critical"], 2);
});

test("the cache is told by namespace: entries, hits and misses", async (sql) => {
  await sql`select public.set_cache('fare:1', '1', 60, 'fares')`;
  await sql`insert into private.cache_lookups (cache_type, hit_count, miss_count) values ('fares', 640, 64)`;

  assertEquals((await told(sql, "cache_entries"))["cache_type=fares"], 1);
  assertEquals((await told(sql, "cache_hits_total"))["cache_type=fares"], 640);
  assertEquals((await told(sql, "cache_misses_total"))["cache_type=fares"], 64);
});

test("what came in lately is told: events by aggregate, deliveries, and the flags' revision", async (sql) => {
  await sql`select public.append_event('probe', 'one', 'probe.tried', '{}')`;
  await sql`insert into public.whatsapp_deliveries (id, sha256, body, item_count) values
    (private.uuid_v7(), 'a', 'a', 1), (private.uuid_v7_floor(now() - interval '6 minutes'), 'b', 'b', 1)`;

  assertEquals((await told(sql, "recent_events"))["aggregate_type=probe"], 1);
  assertEquals(await told(sql, "whatsapp_recent_deliveries"), { "": 1 });
  assert(Object.keys(await told(sql, "flag_revision")).length > 0);
});

test("analytics tells what lags and what it could not take", async (sql) => {
  await sql`insert into private.analytics_dirty_days (day) values (current_date), (current_date), (current_date - 1)`;
  await sql`insert into private.analytics_identity_claims (alias_id, actor_id) values (gen_random_uuid(), gen_random_uuid())`;
  await sql`insert into public.analytics_identities (alias_id, actor_id, linked_at, merged_at) values
    (gen_random_uuid(), gen_random_uuid(), now() - interval '2 hours', null),
    (gen_random_uuid(), gen_random_uuid(), now() - interval '9 hours', now())`;
  await sql`insert into public.analytics_rejections (reason, created_at) values
    ('too_old', now()), ('too_old', now()), ('too_old', now() - interval '2 days')`;

  assertEquals(await told(sql, "analytics_dirty_days"), { "": 2 });
  assertEquals(await told(sql, "analytics_unjudged_claims"), { "": 1 });
  assertEquals(await told(sql, "analytics_oldest_unmerged_seconds"), { "": 7_200 });
  assertEquals(await told(sql, "analytics_rejections_last_day"), { "reason=too_old": 2 });
});

test("rides tell who is on the road, who waits, and which hang", async (sql) => {
  const [person] = await sql`insert into public.profiles default values returning id`;
  const rider: string = person!.id;
  const [driver] = await sql`insert into public.profiles default values returning id`;
  await sql`insert into public.drivers (profile_id, vehicle_type, plate, state, is_online)
    values (${driver!.id}, 'moto', 'RAB123C', 'approved', true)`;
  await sql`select public.update_driver_position(${driver!.id}, -1.95, 30.06, location_type => 'driver_moto')`;
  await openTrip(sql, { rider, status: "offered", createdAt: "now() - interval '90 seconds'" });
  await openTrip(sql, {
    rider,
    status: "requested",
    createdAt: "now() - interval '1 hour'",
    scheduledAt: "now() + interval '9 minutes'",
  });
  await openTrip(sql, { rider, status: "started", createdAt: "now()", driver: driver!.id });

  assertEquals(await told(sql, "drivers_online"), { "vehicle_type=moto": 1 });
  assertEquals(await told(sql, "driver_positions"), { "freshness=live,location_type=driver_moto": 1 });
  assertEquals(await told(sql, "trips_open"), {
    "status=offered,vehicle_type=moto": 1,
    "status=requested,vehicle_type=moto": 1,
    "status=started,vehicle_type=moto": 1,
  });
  assertEquals(await told(sql, "trips_oldest_unanswered_seconds"), { "": 90 });
  assertEquals(await told(sql, "trips_stuck"), { "": 1 });
  assertEquals((await told(sql, "trips_last_hour"))["status=offered,vehicle_type=moto"], 1);
});

interface OpenTrip {
  rider: string;
  status: string;
  createdAt: string;
  scheduledAt?: string;
  driver?: string;
}

/** A trip that nobody tends any more, as far as its row tells. */
async function openTrip(sql: TransactionSql, trip: OpenTrip): Promise<void> {
  const { rider, status, createdAt, scheduledAt = "null", driver = null } = trip;
  await sql.unsafe(
    `insert into public.trips (
      rider_id, request_key, status, vehicle_type, driver_id, pickup_lat, pickup_lng, dropoff_lat, dropoff_lng, quoted_meters,
      quoted_seconds, currency, fare_amount, commission_basis_points, cancellation_amount, free_cancellation, no_show_wait,
      payment_method, created_at, scheduled_at
    ) values (
      $1, gen_random_uuid()::text, $2, 'moto', $3, -1.95, 30.06, -1.96, 30.12, 6000, 900, 'RWF', 1000, 1000, 300, '2 minutes',
      '5 minutes', 'cash', ${createdAt}, ${scheduledAt}
    )`,
    [rider, status, driver],
  );
}
