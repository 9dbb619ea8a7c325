import { echo, synchronised } from "./coexistence.ts";
import { type Claim, type Element, envelope, exploded, type Json, type Kind, whole } from "./delivery.ts";
import { MESSAGES } from "./message_types.ts";
import { errorElement, inbound, textMessage } from "./messages.ts";
import { BEYOND_DOUBLE } from "../../../scripts/fakes/graph/meta_json.ts";
import * as scene from "./scene.ts";
import { entry, type Scenario, type Scene, table } from "./scene.ts";
import { status } from "./statuses.ts";

const NOT_OBJECTS: unknown[] = [null, "wamid.text", 7, true, []];

/** What an `id` may be instead of one. */
const IDS: Record<string, unknown> = {
  "absent": undefined,
  "empty": "",
  "null": null,
  "a number": 42,
  "an object": { id: "wamid" },
  "of 513 characters": "w".repeat(513),
};

/** What a `timestamp` may be instead of seconds between 2009 and 2100. */
const TIMES: Record<string, (now: number) => unknown> = {
  "absent": () => undefined,
  "null": () => null,
  "empty": () => "",
  "words": () => "yesterday",
  "by ISO 8601": (now) => new Date(now * 1000).toISOString(),
  "in milliseconds": (now) => now * 1000,
  "a fraction": (now) => now - 0.5,
  "a fraction in a string": (now) => `${now}.5`,
  "hexadecimal": (now) => `0x${now.toString(16)}`,
  "zero": () => 0,
  "negative": (now) => `-${now}`,
  "of 2008": () => "1199145600",
  "of 2101": () => 4133980800,
  "1e400": () => BEYOND_DOUBLE,
  "of 400 digits": () => "9".repeat(400),
  "a list": (now) => [now],
  "true": () => true,
};

/** Good elements of every kind that has a key, by field. */
const KEYED: [field: string, make: (s: Scene) => Element][] = [
  ["messages", textMessage],
  ["messages", (s) => status(s, "delivered")],
  ["smb_message_echoes", (s) => echo(s, MESSAGES.text!(s))],
  ["history", (s) => ({ ...textMessage(s, { kind: "history" }), contact: undefined })],
];

/** An element with other members and another claim. */
function altered({ json, claim, ...element }: Element, members: Json, claims: Partial<Claim>): Element {
  return { ...element, json: { ...json as Json, ...members }, claim: { ...claim, ...claims } };
}

/** One body in which each kind's faulty element stands between two good ones. */
function amongGood(spoil: (s: Scene, element: Element) => Element): Scenario {
  return (s) =>
    envelope(entry(s, KEYED.map(([field, make]) => inbound(s, [make(s), spoil(s, make(s)), make(s)], { field }))));
}

function notAnObject(json: unknown, kind: Kind, collection: string): Element {
  return { collection, json, claim: { kind, outcome: "dead_letter", reason: "not_an_object" } };
}

/** The arrays whose elements have no key. */
const ARRAYS: [field: string, collection: string, kind: Kind][] = [
  ["messages", "errors", "event"],
  ["messages", "user_actions", "event"],
  ["messages", "labels", "unknown"],
  ["calls", "calls", "event"],
  ["calls", "statuses", "event"],
  ["smb_app_state_sync", "state_sync", "event"],
  ["user_preferences", "user_preferences", "event"],
  ["user_id_update", "user_id_update", "event"],
  ["group_participants_update", "groups", "event"],
  ["history", "history", "event"],
];

function brokenThread(s: Scene): ReturnType<Scenario> {
  const good = textMessage(s, { kind: "history" });
  const messages = [null, good.json, { timestamp: String(s.now - 60) }, { id: scene.wamid(s) }];
  const dead = { kind: "history", outcome: "dead_letter" } as const;
  const path = (m: number) => `/threads/0/messages/${m}`;
  return envelope(entry(
    s,
    synchronised(s, {
      json: { threads: [{ id: "250788000101", messages }] },
      claims: [
        { ...dead, reason: "not_an_object", path: path(0) },
        { ...good.claim, path: path(1) },
        { ...dead, reason: "invalid_id", path: path(2), at: s.now - 60 },
        { ...dead, reason: "invalid_timestamp", path: path(3) },
      ],
    }),
  ));
}

/** What may stand in the place of `metadata` and names no number. */
const NO_NUMBER: Record<string, unknown> = {
  "no metadata": undefined,
  "metadata null": null,
  "metadata a string": "100000000000001",
  "no phone number id": { display_phone_number: "250788000001" },
  "phone number id null": { phone_number_id: null },
  "phone number id empty": { phone_number_id: "" },
};

function unroutable(metadata: unknown): Scenario {
  return (s) =>
    envelope(entry(
      s,
      KEYED.map(([field, make]) => {
        const options = { field, extra: { metadata } };
        return inbound(s, [altered(make(s), {}, { outcome: "unroutable" })], options);
      }),
    ));
}

const old = ({ random, now }: Scene) => now - random.between(36, 400) * scene.DAY;

/** Items that are broken, that no number can be found for, or that come too late. */
export const FAULT_SCENARIOS: Record<string, Scenario> = {
  ...table(
    "id",
    IDS,
    (id) => amongGood((_, element) => altered(element, { id }, { outcome: "dead_letter", reason: "invalid_id" })),
  ),
  ...table("timestamp", TIMES, (time) => {
    const claim = { outcome: "dead_letter", reason: "invalid_timestamp", at: undefined } as const;
    return amongGood((s, element) => altered(element, { timestamp: time(s.now) }, claim));
  }),
  ...table("unroutable:", NO_NUMBER, unroutable),
  "no objects in place of messages": amongGood((s, { collection, claim: { kind } }) =>
    notAnObject(s.random.pick(NOT_OBJECTS), kind, collection)
  ),
  "no objects in the other arrays": (s) =>
    envelope(entry(
      s,
      ARRAYS.map(([field, collection, kind]) =>
        exploded(field, scene.product(s), NOT_OBJECTS.map((json) => notAnObject(json, kind, collection)))
      ),
    )),
  "history messages that are broken": brokenThread,
  "stale": (s) => {
    const changes = KEYED.slice(0, 3).map(([field, make]) => {
      const at = old(s);
      return inbound(s, [make(s), altered(make(s), { timestamp: String(at) }, { at, outcome: "stale" })], { field });
    });
    return envelope(entry(s, changes));
  },
  "stale by the entry": (s) => {
    const changes = [
      inbound(s, [textMessage(s), altered(errorElement(s, 131000), {}, { outcome: "stale" })]),
      whole("account_update", { event: "DISABLED_UPDATE" }, { kind: "event", outcome: "stale" }),
      whole("pigeons", { id: 1 }, { kind: "unknown", outcome: "stale" }),
    ];
    return envelope(entry(s, changes, { time: old(s) }));
  },
};
