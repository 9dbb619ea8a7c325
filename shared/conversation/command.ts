import type { Place, Vehicle } from "./session.ts";

/** How a trip is paid. */
export const PAYMENT_METHODS = ["mtn_momo", "wallet", "cash"] as const;
/** One of them. */
export type PaymentMethod = typeof PAYMENT_METHODS[number];

/** What a driver does about a trip. */
export const DRIVER_MOVES = ["accept", "decline", "arrive", "start", "complete"] as const;
/** One of them. */
export type DriverMove = typeof DRIVER_MOVES[number];

/** What the dialogue wants to be done or told; SQL does it once for each message (private.run_conversation_command). */
export type Command =
  | { name: "look_around"; pickup: Place; vehicle: Vehicle }
  | { name: "quote"; pickup: Place; dropoff: Place; vehicle: Vehicle }
  | { name: "request_trip"; pickup: Place; dropoff: Place; vehicle: Vehicle; payment_method: PaymentMethod }
  | { name: "current_trip" }
  | { name: "cancel_trip"; trip_id: string; reason: string }
  | { name: "move_trip"; trip_id: string; move: DriverMove }
  | { name: "rate_trip"; trip_id: string; stars: number }
  | { name: "pay_trip"; trip_id: string; payment_method: PaymentMethod }
  | { name: "wallet" }
  | { name: "set_online"; is_online: boolean }
  | { name: "update_position"; place: Place }
  | { name: "share_phone"; phone: string };

/** A trip as one of its two people may see it. */
export interface TripView {
  id: string;
  role: "rider" | "driver";
  state: string;
  vehicle: string;
  pickup_label?: string | null;
  dropoff_label?: string | null;
  driver_name?: string | null;
  plate?: string | null;
  /** Minor units as text, because money is larger than a number. */
  fare?: string | null;
  currency?: string | null;
}

/** What became of a command: what was found out, or the code of what refused it. */
export type Outcome = { refused: string } | {
  count?: number;
  nearest_meters?: number | null;
  distance_meters?: number;
  amount?: string;
  currency?: string;
  trip?: TripView | null;
  balance?: string;
  lines?: { amount: string; kind: string; booked_at: string }[];
};
