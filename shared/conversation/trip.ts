import { DRIVER_MOVES, type DriverMove, type Outcome, type TripView } from "./command.ts";
import { moneyText } from "./measures.ts";
import { askPhone, type Choice, type Choices, list, offer, say } from "./reply.ts";
import { menu } from "./menu.ts";
import { refused } from "./ride.ts";
import type { CancelReason } from "./texts/texts.ts";
import type { Talk, Turn } from "./turn.ts";

/** What a driver may do next, by the trip's state. */
const NEXT_MOVES: Record<string, readonly DriverMove[]> = {
  accepted: ["arrive", "start"],
  arrived: ["start"],
  started: ["complete"],
};
/** States in which a trip can still be cancelled. */
const OPEN = ["scheduled", "requested", "offered", "accepted", "arrived"];
const RIDER_REASONS: readonly CancelReason[] = [
  "changed_mind",
  "wait_too_long",
  "wrong_place",
  "driver_asked",
  "other",
];
const DRIVER_REASONS: readonly CancelReason[] = ["rider_no_show", "vehicle_problem", "other"];
const TRIP_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Wants to know how the trip stands. */
export function wantTrip(talk: Talk): Turn {
  return talk.person.has_phone ? talk.wait({ name: "current_trip" }) : talk.end(askPhone(talk.texts.askPhone));
}

/** How the trip stands, and what can be done about it. */
export function tripTold(talk: Talk, outcome: Outcome): Turn {
  if ("refused" in outcome) return refused(talk, outcome.refused);
  if (!outcome.trip) return menu(talk, talk.texts.noTrip);
  return talk.turn([offer(tripBody(talk, outcome.trip), tripChoices(talk, outcome.trip))]);
}

/** A trip in words: where it stands, who drives, from where to where. */
export function tripBody(talk: Talk, trip: TripView): string {
  const { tripStates, trip: words, driverIs, route } = talk.texts;
  const state = Object.hasOwn(tripStates, trip.state) ? tripStates[trip.state]! : trip.state;
  const isRider = trip.role === "rider";
  return [
    words(state, moneyText(trip.fare, trip.currency, talk.session.locale)),
    isRider && trip.driver_name && driverIs(trip.driver_name, trip.plate ?? "–"),
    trip.pickup_label && trip.dropoff_label && route(trip.pickup_label, trip.dropoff_label),
  ].filter(Boolean).join("\n");
}

/** The buttons under a trip. */
export function tripChoices(talk: Talk, { id, role, state }: TripView): Choices {
  const { moves, cancelTitle, menuTitle } = talk.texts;
  const next = role === "driver" ? NEXT_MOVES[state] ?? [] : [];
  const choices: Choice[] = next.map((move) => talk.tripChoice(moves[move], "move", `${id}:${move}`));
  if (OPEN.includes(state)) choices.push(talk.tripChoice(cancelTitle, "cancel", `${id}:${role}`));
  const [first, second, third] = choices;
  if (!first) return [talk.tripChoice(menuTitle, "menu", "")];
  if (!second) return [first];
  return third ? [first, second, third] : [first, second];
}

/** Why? */
export function askReason(talk: Talk, argument: string): Turn {
  const [tripId = "", role] = argument.split(":");
  if (!TRIP_ID.test(tripId)) return menu(talk);
  const reasons = role === "driver" ? DRIVER_REASONS : RIDER_REASONS;
  const { askCancelReason, cancelReasons, cancelTitle } = talk.texts;
  const [first, ...others] = reasons.map((reason) =>
    talk.tripChoice(cancelReasons[reason], "cancel_because", `${tripId}:${reason}`)
  );
  return talk.turn([list(askCancelReason, cancelTitle, [first!, ...others])]);
}

/** Cancels it. */
export function cancelBecause(talk: Talk, argument: string): Turn {
  const [trip_id = "", reason = ""] = argument.split(":");
  const isKnown = [...RIDER_REASONS, ...DRIVER_REASONS].some((known) => known === reason);
  return TRIP_ID.test(trip_id) && isKnown ? talk.wait({ name: "cancel_trip", trip_id, reason }) : menu(talk);
}

/** What a driver does about a trip. */
export function moveTrip(talk: Talk, argument: string): Turn {
  const [trip_id = "", wanted] = argument.split(":");
  const move = DRIVER_MOVES.find((known) => known === wanted);
  return move && TRIP_ID.test(trip_id) ? talk.wait({ name: "move_trip", trip_id, move }) : menu(talk);
}

/** A trip has moved: its new state. Declined, it is another's. */
export function tripMoved(talk: Talk, outcome: Outcome): Turn {
  if ("refused" in outcome) return refused(talk, outcome.refused);
  return outcome.trip ? tripTold(talk, outcome) : menu(talk);
}

/** Rates it. */
export function rate(talk: Talk, argument: string): Turn {
  const [, trip_id, stars] = /^([\w-]+):([1-5])$/.exec(argument) ?? [];
  return trip_id && TRIP_ID.test(trip_id)
    ? talk.wait({ name: "rate_trip", trip_id, stars: Number(stars) })
    : menu(talk);
}

/** How a fare can be paid after the ride: cash would have to be given to a driver who has gone. */
const LATER_METHODS = ["mtn_momo", "wallet"] as const;

/** Asks how a fare shall be paid that could not be paid. */
export function askPayment(talk: Talk, { id }: TripView): ReturnType<typeof offer> {
  const { paymentFailed, payments } = talk.texts;
  const [momo, wallet] = LATER_METHODS.map((method) =>
    talk.tripChoice(payments[method], "pay_again", `${id}:${method}`)
  );
  return offer(paymentFailed, [momo!, wallet!]);
}

/** Tries again to pay; what comes of it is news. */
export function payAgain(talk: Talk, argument: string): Turn {
  const [trip_id = "", wanted] = argument.split(":");
  const payment_method = LATER_METHODS.find((known) => known === wanted);
  return payment_method && TRIP_ID.test(trip_id)
    ? talk.wait({ name: "pay_trip", trip_id, payment_method })
    : menu(talk);
}

/** Thanks for it. */
export function rated(talk: Talk, outcome: Outcome): Turn {
  return "refused" in outcome ? refused(talk, outcome.refused) : talk.turn([say(talk.texts.rated)]);
}

/** One to five stars, in a list. */
export function askRating(talk: Talk, tripId: string): ReturnType<typeof list> {
  const { rateBody, rateButton } = talk.texts;
  const [first, ...others] = [5, 4, 3, 2, 1].map((stars) =>
    talk.tripChoice("★".repeat(stars), "rate", `${tripId}:${stars}`)
  );
  return list(rateBody, rateButton, [first!, ...others]);
}
