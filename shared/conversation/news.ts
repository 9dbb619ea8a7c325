import type { TripView } from "./command.ts";
import { moneyText } from "./measures.ts";
import { offer, type Reply, say } from "./reply.ts";
import { askRating, tripBody, tripChoices } from "./trip.ts";
import type { Talk } from "./turn.ts";

/** Something that happened and somebody is told of: the event, and what is known of the trip or payment now. */
export interface News {
  event: string;
  trip?: TripView | null;
  amount?: string | null;
  currency?: string | null;
  /** Until when an offer can be accepted. */
  expires_at?: string | null;
}

/** The messages that news is worth; none for what needs no words. */
export function newsReplies(talk: Talk, news: News): Reply[] {
  const { trip, event } = news;
  if (event.startsWith("transaction.")) return paymentReplies(talk, news);
  if (!trip) return [];
  if (event === "trip.offered") return trip.role === "driver" ? [offerReply(talk, trip, news)] : [];
  if (event === "trip.completed" && trip.role === "rider") return [say(tripBody(talk, trip)), askRating(talk, trip.id)];
  return TOLD.includes(event) ? [offer(tripBody(talk, trip), tripChoices(talk, trip))] : [];
}

/** The moves that the other one must hear of; what somebody has just done in this chat is answered there. */
const TOLD = ["trip.accepted", "trip.arrived", "trip.started", "trip.completed", "trip.cancelled", "trip.expired"];

function offerReply(talk: Talk, trip: TripView, { expires_at }: News): Reply {
  const { offered, moves } = talk.texts;
  const until = Date.parse(expires_at ?? "");
  const expiresAt = Number.isFinite(until) && until > 0 ? until : talk.now + 60_000;
  const fare = moneyText(trip.fare, trip.currency, talk.session.locale);
  return offer(offered(trip.pickup_label || "•", trip.dropoff_label || "•", fare || "–"), [
    talk.tripChoice(moves.accept, "move", `${trip.id}:accept`, expiresAt),
    talk.tripChoice(moves.decline, "move", `${trip.id}:decline`, expiresAt),
  ]);
}

function paymentReplies(talk: Talk, { event, amount, currency }: News): Reply[] {
  const { paid, paymentAsked, paymentFailed } = talk.texts;
  const money = moneyText(amount, currency, talk.session.locale);
  if (event === "transaction.succeeded") return [say(paid(money))];
  if (event === "transaction.created") return [say(paymentAsked(money))];
  return event === "transaction.failed" || event === "transaction.expired" ? [say(paymentFailed)] : [];
}
