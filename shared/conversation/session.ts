import type { MoneyLocale } from "../money.ts";

/** A language of the conversation. */
export type Locale = MoneyLocale;
/** The languages, in the order of the menu. */
export const LOCALES: readonly Locale[] = ["rw", "en", "fr", "sw"];

/** Where in a conversation somebody is: what is being asked. */
export const STATES = ["idle", "vehicle", "pickup", "dropoff", "quote"] as const;
/** One of them. */
export type State = typeof STATES[number];

/** What is ridden. */
export const VEHICLES = ["moto", "car", "tuk_tuk"] as const;
/** One of them. */
export type Vehicle = typeof VEHICLES[number];

/** A place: degrees, and what it is called. */
export interface Place {
  lat: number;
  lng: number;
  label?: string;
}

/** What is kept in mind between two messages. */
export interface Context {
  vehicle?: Vehicle;
  pickup?: Place;
  dropoff?: Place;
}

/** A conversation as it stands before a message. */
export interface Session {
  state: State;
  context: Context;
  version: number;
  locale: Locale;
}

/** Whom we talk to, as far as the dialogue needs it. */
export interface Person {
  /** Whether we know a phone number, and so whose trips and wallet are meant. */
  has_phone: boolean;
  /** Null for who drives for nobody. */
  driver: { is_approved: boolean; is_online: boolean } | null;
  /** Saved places, those used most lately first. */
  places: (Place & { id: string })[];
}

/** Reads a session as it was stored; what this version of the dialogue does not know begins anew. */
export function readSession(
  stored: { state: string; context: Record<string, unknown>; version: number; locale: string },
): Session {
  const locale = LOCALES.find((known) => known === stored.locale) ?? "en";
  const state = STATES.find((known) => known === stored.state) ?? "idle";
  const context = readContext(stored.context);
  const isWhole = (state !== "pickup" || context.vehicle) &&
    (state !== "dropoff" || context.vehicle && context.pickup) &&
    (state !== "quote" || context.vehicle && context.pickup && context.dropoff);
  return isWhole
    ? { state, context, version: stored.version, locale }
    : { state: "idle", context: {}, version: stored.version, locale };
}

function readContext({ vehicle, pickup, dropoff }: Record<string, unknown>): Context {
  const known = VEHICLES.find((name) => name === vehicle);
  return {
    ...(known && { vehicle: known }),
    ...(isPlace(pickup) && { pickup }),
    ...(isPlace(dropoff) && { dropoff }),
  };
}

/** Tells whether something is a place on Earth. */
export function isPlace(value: unknown): value is Place {
  const { lat, lng } = (value ?? {}) as Record<string, unknown>;
  return typeof lat === "number" && typeof lng === "number" && Math.abs(lat) <= 90 && Math.abs(lng) <= 180;
}
