import type { DriverMove, PaymentMethod } from "../command.ts";
import type { Locale, Vehicle } from "../session.ts";
import { en } from "./en.ts";
import { fr } from "./fr.ts";
import { rw } from "./rw.ts";
import { sw } from "./sw.ts";

/** A title of a button and of a row of the menu, with what it is for. */
export interface MenuTexts {
  body: string;
  button: string;
  ride: string;
  trip: string;
  wallet: string;
  driver: string;
  language: string;
  messages: string;
  help: string;
}

/** Why a trip is cancelled. */
export type CancelReason =
  | "changed_mind"
  | "wait_too_long"
  | "wrong_place"
  | "driver_asked"
  | "rider_no_show"
  | "vehicle_problem"
  | "other";

/** Everything that the conversation says, in one language. */
export interface Texts {
  menu: MenuTexts;
  menuTitle: string;
  help: string;
  notUnderstood: string;
  oldButton: string;
  chooseLanguage: string;
  languageChosen: string;
  chooseVehicle: string;
  vehicles: Record<Vehicle, string>;
  askPickup: string;
  askDropoff: string;
  savedPlaces: string;
  savedPlacesButton: string;
  nearby(count: number, distance: string): string;
  nobodyNearby: string;
  quote(fare: string, distance: string): string;
  payments: Record<PaymentMethod, string>;
  requested: string;
  tripStates: Record<string, string>;
  trip(state: string, fare: string): string;
  driverIs(name: string, plate: string): string;
  route(from: string, to: string): string;
  driverLeft: string;
  noTrip: string;
  tripTitle: string;
  cancelTitle: string;
  askCancelReason: string;
  cancelReasons: Record<CancelReason, string>;
  rateBody: string;
  rateButton: string;
  rated: string;
  wallet(balance: string): string;
  walletEmpty: string;
  askPhone: string;
  phoneShared: string;
  notADriver: string;
  driverOnline: string;
  driverOffline: string;
  goOnline: string;
  goOffline: string;
  positionNoted: string;
  offered(from: string, to: string, fare: string): string;
  moves: Record<DriverMove, string>;
  paid(amount: string): string;
  paymentAsked(amount: string): string;
  paymentFailed: string;
  messagesBody: string;
  stopPromotions: string;
  stopAll: string;
  promotionsStopped: string;
  welcomeBack: string;
  refused: string;
  refusals: Record<string, string>;
}

/** The texts of each language. */
export const TEXTS: Record<Locale, Texts> = { en, fr, rw, sw };

/** What each language calls itself. */
export const LANGUAGE_NAMES: Record<Locale, string> = {
  rw: "Ikinyarwanda",
  en: "English",
  fr: "Français",
  sw: "Kiswahili",
};
