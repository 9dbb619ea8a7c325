import type { TransactionSql } from "postgres";
import { cancel, driven, openDriver, openRider, pass, request, tend, type Trip } from "../../sql/trips/trips.ts";
import type { BoundedCalls } from "./case.ts";

/** Every call of trips that ends at a partitioned table. */
export const TRIPS: BoundedCalls = {
  ...everyMove(),
  "private.make_recurring_trips": async (sql) => {
    const rider = await openRider(sql);
    await request(sql, rider.id, { at: new Date(Date.now() + 60_000), recurrence: "daily" });
    await sql`update public.trip_series set next_at = next_at - interval '10 minutes'`;
    await sql`select private.make_recurring_trips()`;
  },
  "private.tend_trips": async (sql) => {
    const { trip } = await completed(sql, "mtn_momo");
    await tend(sql);
    await pass(sql, trip.id, "2 minutes");
    await tend(sql);
  },
  "public.cancel_trip": async (sql) => {
    const rider = await openRider(sql);
    const trip = await driven(sql, rider, await openDriver(sql), "accept");
    await pass(sql, trip.id, "3 minutes");
    await cancel(sql, trip.id, "changed_mind", rider.id);
  },
  "public.decline_trip": async (sql) => {
    const driver = await openDriver(sql);
    const trip = await request(sql, (await openRider(sql)).id);
    await sql`select public.decline_trip(${trip.id}, ${driver.id})`;
  },
  "public.offer_trip": async (sql) => {
    const trip = await request(sql, (await openRider(sql)).id);
    const driver = await openDriver(sql);
    await sql`select public.offer_trip(${trip.id}, ${[driver.id]}::uuid[])`;
  },
  "public.pay_trip": async (sql) => {
    const [rider, driver] = [await openRider(sql), await openDriver(sql)];
    const trip = await driven(sql, rider, driver, "start");
    await sql`select public.set_wallet_status(${rider.account}, 'frozen', 'tried')`;
    await sql`select public.complete_trip(${trip.id}, driver_id => ${driver.id})`;
    await sql`select public.set_wallet_status(${rider.account}, 'open', 'tried')`;
    await sql`select public.pay_trip(${trip.id}, null, ${rider.id})`;
  },
  "public.rate_trip": async (sql) => {
    const { trip, riderId } = await completed(sql, "wallet");
    await sql`select public.rate_trip(${trip.id}, 5, null, ${riderId})`;
  },
};

/** What a ride from the application to the fare calls. */
function everyMove(): BoundedCalls {
  const names = [
    "public.accept_trip",
    "public.apply_driver",
    "public.arrive_trip",
    "public.complete_trip",
    "public.request_trip",
    "public.set_driver_online",
    "public.set_driver_state",
    "public.start_trip",
  ];
  return Object.fromEntries(names.map((name) => [name, async (sql: TransactionSql) => {
    await completed(sql, "wallet");
  }]));
}

async function completed(sql: TransactionSql, method: string): Promise<{ trip: Trip; riderId: string }> {
  const rider = await openRider(sql);
  return { trip: await driven(sql, rider, await openDriver(sql), "complete", { method }), riderId: rider.id };
}
