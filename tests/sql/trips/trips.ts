import type { ISql } from "postgres";
import { openWallet } from "../wallet/wallets.ts";

/** Nyabugogo and Kimironko, about six kilometres apart. */
export const PICKUP = { lat: -1.9396, lng: 30.0445 };
export const DROPOFF = { lat: -1.9497, lng: 30.1263 };

/** A trip as those see it whose it is, or the problem that they were refused with. */
export interface Trip {
  id: string;
  status: string;
  fare_amount: number;
  amount_due: number;
  payment_status: string;
  transaction_id: string | null;
  series_id: string | null;
  pickup: { lat: number; lng: number; label: string | null };
  driver: { id: string; phone: string | null; plate: string } | null;
  rider: { id: string; phone: string | null } | null;
  driver_position: unknown;
  code?: string;
}

export interface Person {
  id: string;
  account: string;
}

/** Somebody with a wallet. */
export async function openRider(sql: ISql, balance = 100_000): Promise<Person> {
  const account = await openWallet(sql, { balance });
  const [row] = await sql`select profile_id from public.wallet_accounts where id = ${account}`;
  return { id: row!.profile_id, account };
}

/** An approved driver with a moto, online at the pick-up. */
export async function openDriver(sql: ISql, options: { balance?: number; isOnline?: boolean } = {}): Promise<Person> {
  const driver = await openRider(sql, options.balance ?? 0);
  const plate = driver.id.replaceAll("-", "").slice(-10).toUpperCase();
  await sql`select public.apply_driver('moto', ${plate}, ${driver.id})`;
  await sql`select public.set_driver_state(${driver.id}, 'approved')`;
  if (options.isOnline === false) return driver;
  await sql`select public.set_driver_online(true, ${driver.id})`;
  await sql`select public.report_driver_position(${PICKUP.lat}, ${PICKUP.lng}, null, null, ${driver.id})`;
  return driver;
}

export interface Wish {
  method: string;
  key: string;
  at: Date | string | null;
  recurrence: string;
}

export async function request(sql: ISql, rider: string | null, wish: Partial<Wish> = {}): Promise<Trip> {
  const { method = "wallet", key = crypto.randomUUID(), at = null, recurrence = "none" } = wish;
  const [row] = await sql`
    select public.request_trip(
      ${PICKUP.lat}, ${PICKUP.lng}, ${DROPOFF.lat}, ${DROPOFF.lng}, 'moto', ${method}::text::public.trip_payment_method, ${key},
      'Nyabugogo', 'Kimironko', ${at}, ${recurrence}::text::public.trip_recurrence, ${rider}
    ) as trip`;
  return row!.trip;
}

export type Move = "accept" | "arrive" | "start" | "complete";

export async function move(sql: ISql, verb: Move, trip: string, driver: string | null): Promise<Trip> {
  const [row] = await sql`select ${sql(`public.${verb}_trip`)}(trip_id => ${trip}, driver_id => ${driver}) as trip`;
  return row!.trip;
}

export async function cancel(sql: ISql, trip: string, reason: string, actor: string | null = null): Promise<Trip> {
  const [row] =
    await sql`select public.cancel_trip(${trip}, ${reason}::text::public.trip_cancel_reason, ${actor}) as trip`;
  return row!.trip;
}

/** A trip that is driven up to a status by this driver. */
export async function driven(
  sql: ISql,
  rider: Person,
  driver: Person,
  until: Move,
  wish: Partial<Wish> = {},
): Promise<Trip> {
  let trip = await request(sql, rider.id, wish);
  for (const verb of ["accept", "arrive", "start", "complete"] as const) {
    trip = await move(sql, verb, trip.id, driver.id);
    if (verb === until) break;
  }
  return trip;
}

/** What the schedule does about trips, with all that is due by then. */
export async function tend(sql: ISql): Promise<void> {
  await sql`select private.tend_trips()`;
}

/** Lets a time of a trip pass. */
export async function pass(sql: ISql, trip: string, span: string): Promise<void> {
  await sql`
    update public.trips set
      accepted_at = accepted_at - ${span}::text::interval, arrived_at = arrived_at - ${span}::text::interval,
      expires_at = expires_at - ${span}::text::interval, next_action_at = next_action_at - ${span}::text::interval,
      scheduled_at = scheduled_at - ${span}::text::interval
    where id = ${trip}`;
  await sql`update public.trip_offers set expires_at = expires_at - ${span}::text::interval where trip_id = ${trip}`;
}

export async function get(sql: ISql, trip: string, actor: string | null = null): Promise<Trip> {
  const [row] = await sql`select public.get_trip(${trip}, ${actor}) as trip`;
  return row!.trip;
}

/** The types of a trip's events, in order. */
export async function eventsOf(sql: ISql, trip: string): Promise<string[]> {
  const rows = await sql`
    select event_type from public.event_store where aggregate_type = 'trip' and aggregate_id = ${trip} order by version`;
  return rows.map(({ event_type }) => event_type);
}
