import { driverMenu, phoneShared, switched, walletTold, wantWallet } from "./account.ts";
import type { Tap } from "./button_id.ts";
import type { Command, Outcome } from "./command.ts";
import { readMessage } from "./inbound.ts";
import { chooseLanguage, type Consent, consented, help, languages, menu, messages } from "./menu.ts";
import { type News, newsReplies } from "./news.ts";
import { say } from "./reply.ts";
import {
  askAgain,
  chooseVehicle,
  lookedAround,
  paymentChosen,
  placeGiven,
  positionNoted,
  quoted,
  requested,
  savedPlaceChosen,
  vehicleChosen,
} from "./ride.ts";
import type { Person, Session } from "./session.ts";
import { askReason, cancelBecause, moveTrip, payAgain, rate, rated, tripMoved, tripTold, wantTrip } from "./trip.ts";
import { Talk, type Turn } from "./turn.ts";

/** What the dialogue is told. */
export type Input =
  /** A message object as Meta sent it, and what it decided about our messages, if anything. */
  | { kind: "message"; message: Record<string, unknown>; consent: Consent | null }
  /** What became of the command of the turn before. */
  | { kind: "outcome"; command: Command; outcome: Outcome }
  /** Something happened; the conversation stays where it is. */
  | { kind: "news"; news: News };

/** What each button does. */
const ACTIONS: Record<string, (talk: Talk, argument: string) => Turn> = {
  menu: (talk) => menu(talk),
  help,
  languages,
  language: chooseLanguage,
  messages,
  ride: (talk) => chooseVehicle(talk),
  vehicle: vehicleChosen,
  place: savedPlaceChosen,
  pay: paymentChosen,
  trip: wantTrip,
  cancel: askReason,
  cancel_because: cancelBecause,
  move: moveTrip,
  rate,
  pay_again: payAgain,
  wallet: wantWallet,
  driver: (talk) => driverMenu(talk),
  online: (talk, argument) => talk.wait({ name: "set_online", is_online: argument === "on" }),
};

/** What is said after each command. */
const ANSWERS: { [Name in Command["name"]]: (talk: Talk, outcome: Outcome, command: Command) => Turn } = {
  look_around: lookedAround,
  quote: quoted,
  request_trip: requested,
  current_trip: tripTold,
  cancel_trip: tripMoved,
  move_trip: tripMoved,
  rate_trip: rated,
  pay_trip: tripMoved,
  wallet: walletTold,
  set_online: (talk, outcome, command) => switched(talk, outcome, command.name === "set_online" && command.is_online),
  update_position: positionNoted,
  share_phone: phoneShared,
};

/** Words that lead to the menu from anywhere, in each language. */
const MENU_WORDS = ["menu", "menyu", "home", "accueil", "ahabanza", "mwanzo", "0"];

/** One step of a conversation: pure, and never throws, whatever somebody sends. */
export function converse(session: Session, person: Person, input: Input, now: Date): Turn {
  const talk = new Talk(session, person, now.getTime());
  switch (input.kind) {
    case "message":
      return input.consent ? consented(talk, input.consent) : hear(talk, input.message);
    case "outcome":
      return ANSWERS[input.command.name](talk, input.outcome, input.command);
    case "news":
      return talk.turn(newsReplies(talk, input.news));
  }
}

function hear(talk: Talk, message: Record<string, unknown>): Turn {
  const said = readMessage(message);
  switch (said.kind) {
    case "tap":
      return tapped(talk, said.tap);
    case "location":
      return placeGiven(talk, said.place);
    case "phone":
      return talk.wait({ name: "share_phone", phone: said.phone });
    case "text":
      return talk.session.state === "idle" || isMenuWord(said.text) ? menu(talk) : misunderstood(talk);
    case "greeting":
      return menu(talk);
    case "unknown":
      return misunderstood(talk);
  }
}

function tapped(talk: Talk, { action, argument, version, expiresAt }: Tap): Turn {
  const isCurrent = version === 0 || version === talk.session.version;
  if (!isCurrent || expiresAt < talk.now || !Object.hasOwn(ACTIONS, action)) {
    return askAgain(talk, say(talk.texts.oldButton));
  }
  return ACTIONS[action]!(talk, argument);
}

/** Says what can be read here, and asks the open question again. */
function misunderstood(talk: Talk): Turn {
  return askAgain(talk, say(talk.texts.notUnderstood));
}

function isMenuWord(text: string): boolean {
  return MENU_WORDS.includes(text.trim().toLowerCase());
}
