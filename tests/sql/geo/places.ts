import type { TransactionSql } from "postgres";
import { as } from "../../support/database.ts";

/** A place on Earth, in degrees. */
export interface Place {
  lat: number;
  lng: number;
}

/** What find_nearby_locations() finds. */
export interface Nearby extends Place {
  id: string;
  owner_id: string | null;
  location_type: string;
  label: string | null;
  distance_meters: number;
  updated_at: Date;
}

export const KIGALI: Place = { lat: -1.9441, lng: 30.0619 };

const EARTH_RADIUS = 6_371_008.8;

/** The great-circle distance by haversine, told apart from the SQL on purpose. */
export function haversine(one: Place, other: Place): number {
  const radians = (degrees: number) => degrees * Math.PI / 180;
  const half = (from: number, to: number) => Math.sin(radians(to - from) / 2) ** 2;
  const share = half(one.lat, other.lat) +
    Math.cos(radians(one.lat)) * Math.cos(radians(other.lat)) * half(one.lng, other.lng);
  return 2 * EARTH_RADIUS * Math.asin(Math.sqrt(Math.min(1, share)));
}

/** A person; with an account when they sign in. */
export async function person(sql: TransactionSql, userId: string | null = null): Promise<string> {
  if (userId) await sql`insert into auth.users (id) values (${userId})`;
  const [row] = await sql`insert into public.profiles (user_id) values (${userId}) returning id`;
  return row!.id;
}

export async function people(sql: TransactionSql, count: number): Promise<string[]> {
  const rows = await sql`
    insert into public.profiles (full_name) select 'Driver ' || n from generate_series(1, ${count}::integer) as n returning id`;
  return rows.map(({ id }) => id);
}

/** A driver's report. */
export async function report(
  sql: TransactionSql,
  driverId: string,
  { lat, lng }: Place,
  { at = null, type = "driver" }: { at?: Date | null; type?: string } = {},
): Promise<boolean> {
  const [row] = await sql`
    select public.update_driver_position(${driverId}, ${lat}, ${lng}, at => ${at}, location_type => ${type}) as is_taken`;
  return row!.is_taken;
}

interface Search {
  radius?: number;
  type?: string;
  count?: number;
  maxAge?: number | null;
  owner?: string | null;
}

export async function nearby(
  sql: TransactionSql,
  { lat, lng }: Place,
  { radius = 5_000, type = "driver", count = 10, maxAge = null, owner = null }: Search = {},
): Promise<Nearby[]> {
  const rows = await sql<Nearby[]>`
    select * from public.find_nearby_locations(${lat}, ${lng}, ${radius}, ${type}, ${count}, ${maxAge}, ${owner})`;
  return [...rows];
}

export function asPerson<T>(
  sql: TransactionSql,
  sub: string,
  work: (client: TransactionSql) => Promise<T>,
): Promise<T> {
  return as(sql, "authenticated", { sub }, work);
}
