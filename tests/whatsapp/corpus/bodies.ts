import { type Draft, envelope, type Json, type PlacedClaim, whole } from "./delivery.ts";
import { inbound, post, textMessage } from "./messages.ts";
import { metaJson } from "../../../scripts/fakes/graph/meta_json.ts";
import * as scene from "./scene.ts";
import { entry, type Scenario, type Scene, table } from "./scene.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const goodBody = (s: Scene) => metaJson(post(s, [textMessage(s)]).body);

/** A good body with one more member, whose string holds these bytes. */
const ending = (good: string, ...bytes: number[]) =>
  new Uint8Array([...bytesOf(good.slice(0, -1) + ',"n":"'), ...bytes, ...bytesOf('"}')]);

/** Bodies that are no JSON. */
const NOT_JSON: Record<string, (good: string) => Uint8Array> = {
  "nothing": () => new Uint8Array(),
  "white space": () => bytesOf(" \r\n"),
  "words": () => bytesOf("hello"),
  "a form": () => bytesOf("hub.mode=subscribe&hub.challenge=1"),
  "cut off": (good) => bytesOf(good.slice(0, good.length / 2)),
  "followed by more": (good) => bytesOf(good + "}"),
  "a trailing comma": (good) => bytesOf(good.slice(0, -1) + ",}"),
  "NaN": (good) => bytesOf(good.slice(0, -1) + ',"n":NaN}'),
  "a raw line break": (good) => ending(good, 0x0a),
  "a raw NUL": (good) => ending(good, 0),
  "an invalid UTF-8 byte": (good) => ending(good, 0xff),
  "an overlong slash": (good) => ending(good, 0xc0, 0xaf),
  "a surrogate in UTF-8": (good) => ending(good, 0xed, 0xa0, 0x80),
  "UTF-16": (good) => bytesOf([...good].map((character) => `${character}\0`).join("")),
};

const GOOD = [{ id: "200000000000001", changes: [{ field: "flows", value: {} }] }];
const object = "whatsapp_business_account";

/** JSON, but not Meta's envelope; the objects get a member that tells them apart. */
const NO_ENVELOPE: Record<string, unknown> = {
  "null": null,
  "true": true,
  "a number": 42,
  "a string": object,
  "a list": [],
  "an empty object": {},
  "no entry": { object },
  "entries none": { object, entry: [] },
  "entry an object": { object, entry: GOOD[0] },
  "entry null": { object, entry: null },
  "object of a page": { object: "page", entry: GOOD },
  "object null": { object: null, entry: GOOD },
  "object absent": { entry: GOOD },
};

function noEnvelope(json: unknown): Scenario {
  return (s) => {
    const isTagged = json !== null && typeof json === "object" && Object.keys(json).length > 0;
    return { body: isTagged ? { ...json, tag: s.random.token(8) } : json, claims: [{ path: "", kind: "unknown" }] };
  };
}

/** What may stand in an entry's place and has no changes. */
const EMPTY_ENTRIES: unknown[] = [
  {},
  { id: "1" },
  { changes: [] },
  { changes: {} },
  { changes: null },
  null,
  "entry",
  7,
  [],
];

function entriesWithoutChanges(s: Scene): Draft {
  const time = scene.recent(s);
  const { body, claims } = post(s, [textMessage(s)]);
  const [good] = (body as { entry: unknown[] }).entry;
  const unknowns = [{ id: "1", time }, ...EMPTY_ENTRIES].map((_, i): PlacedClaim => (
    { path: `/entry/${i + 1}`, kind: "unknown", at: i === 0 ? time : undefined }
  ));
  return { body: { object, entry: [good, { id: "1", time }, ...EMPTY_ENTRIES] }, claims: [...claims, ...unknowns] };
}

/** Values of an exploded change that yield nothing; `undefined` is an absent value. */
const EMPTY_VALUES: [field: string, value: unknown][] = [
  ["messages", {}],
  ["messages", { contacts: [{ wa_id: "250788000101" }] }],
  ["messages", { messages: [], statuses: [] }],
  ["messages", { messages: {} }],
  ["messages", { statuses: "none" }],
  ["messages", null],
  ["calls", "calls"],
  ["history", []],
  ["history", { history: [] }],
  ["standby", 7],
  ["user_preferences", { contacts: [] }],
  ["smb_app_state_sync", undefined],
];

/** Bodies that are broken as a whole, in an entry or in a change. */
export const BODY_SCENARIOS: Record<string, Scenario> = {
  ...table("not JSON:", NOT_JSON, (spoil) => (s) => {
    const body = spoil(goodBody(s));
    return { body, claims: [{ path: "", kind: "unknown", outcome: "dead_letter", reason: "not_json" }] };
  }),
  ...table("no envelope:", NO_ENVELOPE, noEnvelope),
  "a list of envelopes": (s) => ({ body: [post(s, [textMessage(s)]).body], claims: [{ path: "", kind: "unknown" }] }),
  "entries without changes": entriesWithoutChanges,
  "changes that are no objects": (s) => {
    const claims: PlacedClaim[] = [{ path: "", kind: "unknown", outcome: "dead_letter", reason: "not_an_object" }];
    const broken = [null, "messages", 7, true, []].map((json) => ({ json, claims }));
    return envelope(entry(s, [...broken, inbound(s, [textMessage(s)])]));
  },
  "values that yield nothing": (s) =>
    envelope(...EMPTY_VALUES.map(([field, value]) => {
      const path = value === undefined ? "" : "/value";
      return entry(s, { json: whole(field, value).json, claims: [{ kind: "unknown", path }] });
    })),
  "keys given twice": (s) => {
    const { body, claims } = post(s, [textMessage(s)]);
    return { body: bytesOf(metaJson(body as Json).replace("{", '{"object":"page","entry":[],')), claims };
  },
};
