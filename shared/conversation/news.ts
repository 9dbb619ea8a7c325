import type { TripView } from "./command.ts";
import { moneyText } from "./measures.ts";
import { offer, type Reply, say } from "./reply.ts";
import { askPayment, askRating, tripBody, tripChoices } from "./trip.ts";
import type { Talk } from "./turn.ts";

/** Something that happened and somebody is told of: the event, and what is known of the trip or payment now. */
export interface News {
  event: string;
  trip?: TripView | null;
  amount?: string | null;
  currency?: string | null;
  /** A line under the receipt. */
  footer?: string | null;
}

/** The messages that news is worth; none for what needs no words. */
export function newsReplies(talk: Talk, news: News): Reply[] {
  const { trip, event } = news;
  if (!trip) return [];
  switch (event) {
    case "trip.offered":
      return trip.role === "driver" ? [offerReply(talk, trip)] : [];
    case "trip.completed":
      return [say(tripBody(talk, trip)), askRating(talk, trip.id)];
    case "trip.returned":
      return [offer(`${talk.texts.driverLeft}\n${tripBody(talk, trip)}`, tripChoices(talk, trip))];
    case "trip.payment_asked":
      return [say(talk.texts.paymentAsked(amountText(talk, news)))];
    case "trip.paid":
      return [receipt(talk, news)];
    case "trip.payment_failed":
      return [askPayment(talk, trip)];
  }
  return TOLD.includes(event) ? [offer(tripBody(talk, trip), tripChoices(talk, trip))] : [];
}

/** An offer is a matter of seconds; its buttons say so a little later at most. */
const OFFER_MS = 5 * 60_000;
/** The moves that the other one must hear of; what somebody has just done in this chat is answered there. */
const TOLD = ["trip.accepted", "trip.arrived", "trip.started", "trip.cancelled", "trip.expired"];

/** Somebody else may be faster, or the offer over: the trip says so when the button is tapped. */
function offerReply(talk: Talk, trip: TripView): Reply {
  const { offered, moves } = talk.texts;
  const fare = moneyText(trip.fare, trip.currency, talk.session.locale);
  return offer(offered(trip.pickup_label || "•", trip.dropoff_label || "•", fare || "–"), [
    talk.tripChoice(moves.accept, "move", `${trip.id}:accept`, talk.now + OFFER_MS),
    talk.tripChoice(moves.decline, "move", `${trip.id}:decline`, talk.now + OFFER_MS),
  ]);
}

function receipt(talk: Talk, news: News): Reply {
  const paid = talk.texts.paid(amountText(talk, news));
  return say(news.footer ? `${paid}\n\n${news.footer}` : paid);
}

function amountText(talk: Talk, { amount, currency }: News): string {
  return moneyText(amount, currency, talk.session.locale);
}
