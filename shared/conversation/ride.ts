import { type Outcome, PAYMENT_METHODS } from "./command.ts";
import { distanceText, moneyText } from "./measures.ts";
import { askLocation, askPhone, list, offer, type Reply, say } from "./reply.ts";
import { type Place, VEHICLES } from "./session.ts";
import { menu } from "./menu.ts";
import type { Talk, Turn } from "./turn.ts";

/** What shall it be? A place shared out of the blue is where they stand. */
export function chooseVehicle(talk: Talk, pickup?: Place): Turn {
  const { chooseVehicle: body, vehicles } = talk.texts;
  const [moto, car, tukTuk] = VEHICLES.map((name) => talk.choice(vehicles[name], "vehicle", name));
  return talk.turn([offer(body, [moto!, car!, tukTuk!])], { state: "vehicle", context: pickup ? { pickup } : {} });
}

/** From where, unless that is known. */
export function vehicleChosen(talk: Talk, argument: string): Turn {
  const vehicle = VEHICLES.find((name) => name === argument);
  if (!vehicle) return chooseVehicle(talk);
  const { pickup } = talk.session.context;
  if (pickup) return pickupGiven(talk.at("pickup", { vehicle }), pickup);
  return talk.turn(askPlace(talk, talk.texts.askPickup), { state: "pickup", context: { vehicle } });
}

/** A place was shared or chosen: whatever is being asked for. */
export function placeGiven(talk: Talk, place: Place): Turn {
  if (talk.session.state === "pickup") return pickupGiven(talk, place);
  if (talk.session.state === "dropoff") return dropoffGiven(talk, place);
  if (talk.person.driver?.is_online) return talk.wait({ name: "update_position", place });
  return chooseVehicle(talk, place);
}

/** One of the saved places was chosen. */
export function savedPlaceChosen(talk: Talk, id: string): Turn {
  const saved = talk.person.places.find((place) => place.id === id);
  if (!saved) return askAgain(talk);
  const { lat, lng, label } = saved;
  return placeGiven(talk, { lat, lng, ...(label && { label }) });
}

/** Asks the open question once more. */
export function askAgain(talk: Talk, ...before: Reply[]): Turn {
  const { state } = talk.session;
  const { askPickup, askDropoff } = talk.texts;
  if (state === "pickup") return talk.turn([...before, ...askPlace(talk, askPickup)]);
  if (state === "dropoff") return talk.turn([...before, ...askPlace(talk, askDropoff)]);
  const next = state === "vehicle"
    ? chooseVehicle(talk, talk.session.context.pickup)
    : state === "quote"
    ? wantQuote(talk)
    : menu(talk);
  return { ...next, replies: [...before, ...next.replies] };
}

function pickupGiven(talk: Talk, pickup: Place): Turn {
  const { vehicle } = talk.session.context;
  return talk.at("dropoff", { ...talk.session.context, pickup }).wait({
    name: "look_around",
    pickup,
    vehicle: vehicle!,
  });
}

/** Who is near; and where to. */
export function lookedAround(talk: Talk, outcome: Outcome): Turn {
  const { nearby, nobodyNearby, askDropoff } = talk.texts;
  const { count = 0, nearest_meters } = "refused" in outcome ? {} : outcome;
  const around = count > 0 ? nearby(count, distanceText(nearest_meters ?? 0, talk.session.locale)) : nobodyNearby;
  return talk.turn(askPlace(talk, `${around}\n\n${askDropoff}`));
}

function dropoffGiven(talk: Talk, dropoff: Place): Turn {
  return wantQuote(talk.at("quote", { ...talk.session.context, dropoff }));
}

function wantQuote(talk: Talk): Turn {
  const { vehicle, pickup, dropoff } = talk.session.context;
  return talk.wait({ name: "quote", vehicle: vehicle!, pickup: pickup!, dropoff: dropoff! });
}

/** What it costs; and how to pay. */
export function quoted(talk: Talk, outcome: Outcome): Turn {
  if ("refused" in outcome) return refused(talk, outcome.refused);
  const { quote, payments } = talk.texts;
  const { amount, currency, distance_meters = 0 } = outcome;
  const [momo, wallet, cash] = PAYMENT_METHODS.map((method) => talk.choice(payments[method], "pay", method));
  const { locale } = talk.session;
  return talk.turn([
    offer(quote(moneyText(amount, currency, locale), distanceText(distance_meters, locale)), [momo!, wallet!, cash!]),
  ]);
}

/** Orders the trip, of whoever has a phone. */
export function paymentChosen(talk: Talk, argument: string): Turn {
  const payment_method = PAYMENT_METHODS.find((method) => method === argument);
  const { vehicle, pickup, dropoff } = talk.session.context;
  if (!payment_method || talk.session.state !== "quote" || !vehicle || !pickup || !dropoff) return menu(talk);
  if (!talk.person.has_phone) return talk.turn([askPhone(talk.texts.askPhone)]);
  return talk.wait({ name: "request_trip", vehicle, pickup, dropoff, payment_method });
}

/** The trip is ordered. */
export function requested(talk: Talk, outcome: Outcome): Turn {
  if ("refused" in outcome) return refused(talk, outcome.refused);
  const { requested: body, tripTitle, cancelTitle } = talk.texts;
  const id = outcome.trip?.id ?? "";
  return talk.end(
    offer(body, [talk.tripChoice(tripTitle, "trip", ""), talk.tripChoice(cancelTitle, "cancel", `${id}:rider`)]),
  );
}

/** Says why not, and shows the way back. */
export function refused(talk: Talk, code: string): Turn {
  const { refusals, refused: otherwise, menuTitle } = talk.texts;
  const body = Object.hasOwn(refusals, code) ? refusals[code]! : otherwise;
  return talk.end(offer(body, [talk.choice(menuTitle, "menu")]));
}

function askPlace(talk: Talk, body: string): Reply[] {
  const { savedPlaces, savedPlacesButton } = talk.texts;
  const [first, ...others] = talk.person.places.map(({ id, label }) => talk.choice(label?.trim() || "•", "place", id));
  return first ? [askLocation(body), list(savedPlaces, savedPlacesButton, [first, ...others])] : [askLocation(body)];
}

/** A position of a driver is noted. */
export function positionNoted(talk: Talk, outcome: Outcome): Turn {
  return "refused" in outcome ? refused(talk, outcome.refused) : talk.turn([say(talk.texts.positionNoted)]);
}
