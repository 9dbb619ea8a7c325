import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { converse, type Input } from "shared/conversation/converse.ts";
import { buttonId, readButtonId } from "shared/conversation/button_id.ts";
import { LIMITS } from "shared/conversation/limits.ts";
import type { Reply } from "shared/conversation/reply.ts";
import { LOCALES, type Person, STATES, VEHICLES } from "shared/conversation/session.ts";
import { TEXTS } from "shared/conversation/texts/texts.ts";
import { bodyOf, choicesOf, NOW, TRIP_ID } from "./dialogue.ts";

const ACTIONS = [
  "menu",
  "help",
  "languages",
  "language",
  "messages",
  "ride",
  "vehicle",
  "place",
  "pay",
  "trip",
  "cancel",
  "cancel_because",
  "move",
  "rate",
  "wallet",
  "driver",
  "online",
  "constructor",
  "nothing",
];
const ARGUMENTS = [
  "",
  "moto",
  "fr",
  "mtn_momo",
  "on",
  `${TRIP_ID}:accept`,
  `${TRIP_ID}:other`,
  `${TRIP_ID}:5`,
  `${TRIP_ID}:driver`,
  "p1",
  "toString",
];

const someText = fc.string({ unit: "grapheme", maxLength: 200 });
const somePlace = fc.record({
  lat: fc.double({ min: -90, max: 90, noNaN: true }),
  lng: fc.double({ min: -180, max: 180, noNaN: true }),
  label: someText,
});
const somePerson: fc.Arbitrary<Person> = fc.record({
  has_phone: fc.boolean(),
  driver: fc.option(fc.record({ is_approved: fc.boolean(), is_online: fc.boolean() })),
  places: fc.array(somePlace, { maxLength: 15 }).map((places) =>
    places.map((place, at) => ({ ...place, id: `p${at}` }))
  ),
});
const someTrip = fc.record({
  id: fc.constant(TRIP_ID),
  role: fc.constantFrom("rider" as const, "driver" as const),
  state: fc.constantFrom(...Object.keys(TEXTS.en.tripStates), "new to us"),
  vehicle: fc.constant("moto"),
  pickup_label: fc.option(someText),
  dropoff_label: fc.option(someText),
  driver_name: fc.option(someText),
  plate: fc.option(someText),
  fare: fc.option(fc.bigInt(0n, 2n ** 62n).map(String)),
  currency: fc.option(fc.constantFrom("RWF", "XXX")),
});
const someTap = fc.tuple(fc.constantFrom(...ACTIONS), fc.constantFrom(...ARGUMENTS), fc.constantFrom(0, 3, 7)).map(
  ([action, argument, version]) => buttonId({ action, argument, version, expiresAt: NOW.getTime() + 60_000 }),
);
const someMessage: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  fc.record({ type: fc.constant("text"), text: fc.record({ body: someText }) }),
  fc.record({
    type: fc.constant("interactive"),
    interactive: fc.record({ list_reply: fc.record({ id: fc.oneof(someTap, someText) }) }),
  }),
  fc.record({
    type: fc.constant("location"),
    location: fc.record({ latitude: fc.double(), longitude: fc.double(), name: someText }),
  }),
  fc.record({
    type: fc.constantFrom("image", "sticker", "contacts", "text", "interactive", "location"),
    contacts: fc.anything(),
  }),
  fc.dictionary(fc.string(), fc.anything()),
);
const EVENTS = "offered accepted returned completed cancelled paid payment_asked payment_failed stuck".split(" ");
const someInput: fc.Arbitrary<Input> = fc.oneof(
  fc.record({ kind: fc.constant("message" as const), message: someMessage, consent: fc.constant(null) }),
  fc.record({
    kind: fc.constant("news" as const),
    news: fc.record({
      event: fc.constantFrom(...EVENTS).map((
        name,
      ) => `trip.${name}`),
      trip: fc.option(someTrip),
      amount: fc.option(fc.bigInt(0n, 2n ** 62n).map(String)),
      currency: fc.option(fc.constant("RWF")),
    }),
  }),
);
const someOutcome = fc.oneof(
  fc.record({ refused: fc.oneof(fc.constantFrom("trip_taken", "toString"), someText) }),
  fc.record({
    count: fc.nat(),
    nearest_meters: fc.option(fc.nat()),
    distance_meters: fc.nat(),
    amount: fc.bigInt(0n, 2n ** 62n).map(String),
    currency: fc.constant("RWF"),
    trip: fc.option(someTrip),
    balance: fc.bigInt(-(2n ** 62n), 2n ** 62n).map(String),
    lines: fc.array(
      fc.record({
        amount: fc.constantFrom("5", "-700"),
        kind: someText,
        booked_at: fc.constant("2026-11-20T00:00:00Z"),
      }),
    ),
  }),
);
const someSession = fc.record({
  state: fc.constantFrom(...STATES),
  context: fc.record({ vehicle: fc.constantFrom(...VEHICLES), pickup: somePlace, dropoff: somePlace }),
  version: fc.constant(7),
  locale: fc.constantFrom(...LOCALES),
});

/** Whatever Meta would refuse of a reply, or a person could not read. */
function faultsOf(reply: Reply): string[] {
  const size = (text: string | undefined) => [...text ?? ""].length;
  const choices = choicesOf(reply);
  const body = bodyOf(reply);
  const isList = JSON.stringify(reply.payload).includes('"sections"');
  const [mostChoices, mostTitle, mostId] = isList
    ? [LIMITS.rows, LIMITS.rowTitle, LIMITS.rowId]
    : [3, LIMITS.buttonTitle, LIMITS.buttonId];
  return [
    body.trim() === "" && "an empty body",
    size(body) > (reply.type === "text" ? LIMITS.text : LIMITS.body) && "a long body",
    /undefined|null|NaN|\[object/.test(body) && reply.type === "text" && `strange words: ${body}`,
    choices.length > mostChoices && "too many choices",
    new Set(choices.map(({ id }) => id)).size < choices.length && "two choices with one id",
    choices.some(({ id }) => size(id) > mostId || id.trim() !== id || id === "") && "a bad id",
    choices.some(({ title }) => size(title) > mostTitle || title === "") && "a bad title",
    choices.some(({ description }) => size(description) > LIMITS.rowDescription) && "a long description",
  ].filter((fault) => fault !== false);
}

Deno.test("converse() never throws and never says what Meta would refuse, whatever it is told", () => {
  fc.assert(
    fc.property(
      someSession,
      somePerson,
      someInput,
      fc.array(someOutcome, { maxLength: 3 }),
      (session, person, input, outcomes) => {
        let turn = converse(session, person, input, NOW);
        let replies = turn.replies;
        for (const outcome of outcomes) {
          if (!turn.command) break;
          turn = converse(turn.session, person, { kind: "outcome", command: turn.command, outcome }, NOW);
          replies = [...replies, ...turn.replies];
        }
        assertEquals(replies.flatMap(faultsOf), []);
      },
    ),
    { numRuns: 2_000 },
  );
});

Deno.test("every message that is heard is answered, or a command is on its way to an answer", () => {
  fc.assert(
    fc.property(someSession, somePerson, someMessage, (session, person, message) => {
      const turn = converse(session, person, { kind: "message", message, consent: null }, NOW);
      assertEquals(turn.replies.length > 0 || turn.command !== undefined, true);
    }),
    { numRuns: 500 },
  );
});

Deno.test("no title of ours is cut short in any language", () => {
  const size = (text: string) => [...text].length;
  for (const [locale, texts] of Object.entries(TEXTS)) {
    const buttons = [
      ...Object.values(texts.vehicles),
      ...Object.values(texts.payments),
      ...Object.values(texts.moves),
      texts.menuTitle,
      texts.tripTitle,
      texts.cancelTitle,
      texts.goOnline,
      texts.goOffline,
      texts.savedPlacesButton,
      texts.rateButton,
      texts.stopPromotions,
      texts.stopAll,
      texts.menu.button,
      texts.menu.language,
    ];
    const { body: _, button: __, ...rows } = texts.menu;
    assertEquals(buttons.filter((title) => size(title) > LIMITS.buttonTitle), [], locale);
    assertEquals(
      [...Object.values(rows), ...Object.values(texts.cancelReasons)].filter((title) => size(title) > LIMITS.rowTitle),
      [],
      locale,
    );
  }
});

Deno.test("readButtonId() reads back what buttonId() wrote", () => {
  fc.assert(fc.property(
    fc.constantFrom(...ACTIONS),
    fc.constantFrom(...ARGUMENTS),
    fc.nat(),
    fc.nat({ max: 4e9 }),
    (action, argument, version, seconds) => {
      const tap = { action, argument, version, expiresAt: seconds * 1000 };
      assertEquals(readButtonId(buttonId(tap)), tap);
    },
  ));
});
