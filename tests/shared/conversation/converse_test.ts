import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import type { Outcome } from "shared/conversation/command.ts";
import { LOCALES, readSession, type Session } from "shared/conversation/session.ts";
import { TEXTS } from "shared/conversation/texts/texts.ts";
import type { Turn } from "shared/conversation/turn.ts";
import {
  bodyOf,
  choicesOf,
  DRIVER,
  idOf,
  KIMIRONKO,
  location,
  NOW,
  outcome,
  REMERA,
  RIDER,
  session,
  step,
  stored,
  tap,
  TRIP_ID,
  words,
} from "./dialogue.ts";

const { en } = TEXTS;
const TRIP = {
  id: TRIP_ID,
  role: "rider",
  state: "requested",
  vehicle: "moto",
  fare: "1500",
  currency: "RWF",
} as const;

/** Taps what a turn offers. */
function tapOn(turn: Turn, action: string, person = RIDER): Turn {
  return step(stored(turn), tap(idOf(turn, action)), person);
}

/** Lets the command of a turn come to something. */
function come(turn: Turn, fields: Outcome, person = RIDER): Turn {
  return step(turn.session, outcome(turn.command!, fields), person);
}

function quotedRide(): Turn {
  const vehicle = tapOn(step(session(), words("Muraho")), "ride");
  const pickup = tapOn(vehicle, "vehicle");
  const around = come(step(stored(pickup), location(KIMIRONKO)), { count: 2, nearest_meters: 310 });
  return come(step(stored(around), location(REMERA)), { amount: "1500", currency: "RWF", distance_meters: 4_200 });
}

Deno.test("converse() leads from a greeting to a requested trip", () => {
  const quote = quotedRide();

  const paid = tapOn(quote, "pay");

  assertEquals(bodyOf(quote.replies[0]!), "The ride is about 4.2 km and costs RWF\u00a01,500. How do you want to pay?");
  assertEquals(paid.command, {
    name: "request_trip",
    vehicle: "moto",
    pickup: KIMIRONKO,
    dropoff: { lat: REMERA.lat, lng: REMERA.lng },
    payment_method: "mtn_momo",
  });
  assertEquals(come(paid, { trip: TRIP }).session.state, "idle");
});

Deno.test("converse() tells how many drivers are near and how far, and nothing else of them", () => {
  const around = come(
    step(session({ state: "pickup", context: { vehicle: "moto" } }), location(KIMIRONKO)),
    { count: 2, nearest_meters: 310 },
  );

  assertEquals(bodyOf(around.replies[0]!), `2 drivers are near, the closest 300 m away.\n\n${en.askDropoff}`);
});

Deno.test("a button of an earlier turn answers kindly, asks again and does nothing", () => {
  const quote = quotedRide();
  const first = tapOn(quote, "pay");

  const second = step(stored(first), tap(idOf(quote, "pay")));

  assertEquals([first.command?.name, second.command?.name], ["request_trip", "quote"]);
  assertEquals(bodyOf(second.replies[0]!), en.oldButton);
  assertEquals(second.session.state, first.session.state);
});

Deno.test("a button whose time is over does nothing", () => {
  const turn = step(session(), words("hi"));

  const late = step(stored(turn), tap(idOf(turn, "wallet")), RIDER, new Date(NOW.getTime() + 31 * 60_000));

  assertEquals([late.command, bodyOf(late.replies[0]!)], [undefined, en.oldButton]);
});

Deno.test("a button that goes with a trip counts whatever was said in between", () => {
  const requested = come(tapOn(quotedRide(), "pay"), { trip: TRIP });
  const later = stored(step(stored(requested), words("menu")));

  const why = step(later, tap(idOf(requested, "cancel")));

  assertEquals(tapOn(why, "cancel_because").command, { name: "cancel_trip", trip_id: TRIP_ID, reason: "changed_mind" });
});

Deno.test("what cannot be read is answered with help and the open question, and changes nothing", () => {
  const open: Session = session({ state: "dropoff", context: { vehicle: "moto", pickup: KIMIRONKO } });
  const messages = [
    { type: "sticker" },
    { type: "image" },
    { type: "audio" },
    { type: "text", text: { body: "??" } },
    {},
  ];

  for (const message of messages) {
    const turn = step(open, { kind: "message", message, consent: null });

    assertEquals(turn.replies.map(bodyOf), [en.notUnderstood, en.askDropoff]);
    assertEquals(turn.session, open);
  }
});

Deno.test("the language can be changed in the menu, from each to each", () => {
  for (const locale of LOCALES) {
    const choice = tapOn(step(session(), words("hi")), "languages");
    const id = choicesOf(choice.replies[0]!).find(({ id }) => id.includes(`|${locale}|`))!.id;

    const turn = step(stored(choice), tap(id));

    assertEquals([turn.session.locale, bodyOf(turn.replies[0]!)], [locale, TEXTS[locale].languageChosen]);
  }
});

Deno.test("after a stop of everything nothing is said, after a start the menu is", () => {
  const stop = step(session(), { ...words("STOP"), consent: { scope: "all", decision: "stop" } } as never);
  const start = step(session(), { ...words("START"), consent: { scope: "all", decision: "start" } } as never);

  assertEquals(stop.replies, []);
  assertEquals(bodyOf(start.replies[0]!), en.welcomeBack);
});

Deno.test("who is known by a user id only is asked for the phone where one is needed, and only there", () => {
  const nobody = { ...RIDER, has_phone: false };
  const asked = ["wallet", "trip", "driver"].map((action) => tapOn(step(session(), words("hi")), action, nobody));
  const free = tapOn(step(session(), words("hi")), "ride", nobody);

  assertEquals(
    asked.map(({ replies, command }) => [bodyOf(replies[0]!), command]),
    asked.map(() => [en.askPhone, undefined]),
  );
  assertEquals(bodyOf(free.replies[0]!), en.chooseVehicle);
});

Deno.test("a card counts as one's own number only as the answer to our request", () => {
  const card = (origin: string) => ({ type: "contacts", contacts: [{ origin, phones: [{ wa_id: "250788000007" }] }] });

  const own = step(session(), { kind: "message", message: card("contact_request"), consent: null });
  const other = step(session(), { kind: "message", message: card("other"), consent: null });

  assertEquals(own.command, { name: "share_phone", phone: "+250788000007" });
  assertEquals(other.command, undefined);
});

Deno.test("a driver's location is their position, a rider's the beginning of a ride", () => {
  assertEquals(step(session(), location(KIMIRONKO), DRIVER).command?.name, "update_position");
  assertEquals(step(session(), location(KIMIRONKO)).session, {
    ...session({ state: "vehicle" }),
    context: { pickup: KIMIRONKO },
  });
});

Deno.test("an offer is accepted by its button, and a driver who was too slow is told so", () => {
  const news = { event: "trip.offered", trip: { ...TRIP, role: "driver" as const } };
  const offered = step(session(), { kind: "news", news }, DRIVER);

  const accepted = step(session({ version: 9 }), tap(idOf(offered, "move")), DRIVER);

  assertEquals(accepted.command, { name: "move_trip", trip_id: TRIP_ID, move: "accept" });
  assertEquals(bodyOf(come(accepted, { refused: "trip_taken" }, DRIVER).replies[0]!), en.refusals.trip_taken);
});

Deno.test("news leave the session where it is", () => {
  const open = session({ state: "pickup", context: { vehicle: "car" } });

  const turn = step(open, { kind: "news", news: { event: "trip.accepted", trip: { ...TRIP, state: "accepted" } } });

  assertEquals([turn.session, turn.replies.length], [open, 1]);
});

Deno.test("each move of a trip has words for those who must hear of it, in each language", () => {
  for (const locale of LOCALES) {
    for (const [state, words] of Object.entries(TEXTS[locale].tripStates)) {
      assertNotEquals(words, "");
      const turn = step(session({ locale }), {
        kind: "news",
        news: { event: `trip.${state}`, trip: { ...TRIP, state, driver_name: "Jean-Paul", plate: "RAB123C" } },
      });
      const isTold = ["accepted", "arrived", "started", "completed", "cancelled", "expired"].includes(state);
      assertEquals(turn.replies.length > 0, isTold, `${locale} ${state}`);
    }
  }
});

Deno.test("a rider whose driver has given up is told that another is looked for, in each language", () => {
  for (const locale of LOCALES) {
    const news = { event: "trip.returned", trip: { ...TRIP, state: "requested" } };

    const { replies } = step(session({ locale }), { kind: "news", news });

    assertEquals(replies.length, 1);
    assertStringIncludes(bodyOf(replies[0]!), TEXTS[locale].driverLeft);
    assertStringIncludes(bodyOf(replies[0]!), TEXTS[locale].tripStates.requested!);
  }
});

Deno.test("readSession() begins anew what it cannot go on with", () => {
  const half = { state: "quote", context: { vehicle: "moto" }, version: 4, locale: "fr" };

  assertEquals(readSession(half), { state: "idle", context: {}, version: 4, locale: "fr" });
  assertEquals(readSession({ ...half, state: "of another bot" }).state, "idle");
});
