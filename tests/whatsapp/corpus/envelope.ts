import { echo } from "./coexistence.ts";
import { type Change, type Element, envelope, exploded, type Json, whole } from "./delivery.ts";
import { MESSAGES } from "./message_types.ts";
import { errorElement, inbound, message, post, textMessage } from "./messages.ts";
import * as scene from "./scene.ts";
import { entry, PHONES, type Scenario, type Scene } from "./scene.ts";
import { status } from "./statuses.ts";

const STATUSES = ["sent", "delivered", "read", "played", "failed"];

const anyMessage = (s: Scene) => message(s, MESSAGES[s.random.pick(Object.keys(MESSAGES))]!(s));
const anyStatus = (s: Scene) => status(s, s.random.pick(STATUSES));
const anyEcho = (s: Scene) => echo(s, MESSAGES.text!(s));
const times = <T>(length: number, make: () => T): T[] => Array.from({ length }, make);

/** Messages and statuses side by side in one change. */
function mixed(s: Scene, size: number): Change {
  return inbound(s, times(size, () => s.random.chance(0.4) ? anyMessage(s) : anyStatus(s)));
}

function again({ claim, ...element }: Element): Element {
  return { ...element, claim: { ...claim, outcome: "duplicate" } };
}

/** One body, and the same items batched otherwise; which comes first is left to chance. */
function rebatched(s: Scene): ReturnType<Scenario> {
  const account = whole("account_update", { event: "VERIFIED_ACCOUNT", note: s.random.token(8) });
  const echoes = inbound(s, times(2, () => anyEcho(s)), { field: "smb_message_echoes" });
  const first = entry(s, [mixed(s, 6), inbound(s, [errorElement(s, 131000), anyMessage(s)]), account, echoes]);
  const pieces = s.random.shuffle(first.changes.flatMap((change) => change.split?.() ?? [change]));
  const half = pieces.splice(0, pieces.length / 2);
  return s.random.shuffle([
    envelope(first),
    envelope({ ...first, changes: half }),
    envelope(...pieces.map((change) => ({ ...first, changes: [change] }))),
  ]);
}

/** The dashboard's test button: entry "0", a number nobody has, and times of 2017. */
function testButton(change: (s: Scene, at: number) => Change, at?: number): Scenario {
  return (s) => {
    const phone = { waba_id: "0", phone_number_id: "123456123", display_phone_number: "250788000999" };
    return envelope(entry({ ...s, phone }, change({ ...s, phone }, at ?? s.now - 60), { time: at }));
  };
}

const OLD = 1504902988;

const newArray = (name: string, elements: unknown[] = [{ id: 1 }, { note: "new" }]): Scenario => (s) => {
  const unknowns = elements.map((json): Element => ({
    collection: name,
    json: { ...json as Json, token: s.random.token(12) },
    claim: { kind: "unknown" },
  }));
  return post(s, [textMessage(s), ...unknowns]);
};

const newField = (field: string | undefined): Scenario => (s) =>
  envelope(entry(s, whole(field!, { ...scene.product(s), messages: [{ id: scene.wamid(s) }] }, { kind: "unknown" })));

/** How deliveries are put together: batches, duplicates, new things. */
export const ENVELOPE_SCENARIOS: Record<string, Scenario> = {
  "messages and statuses in one change": (s) => envelope(entry(s, mixed(s, 8))),
  "several changes": (s) => envelope(entry(s, times(4, () => mixed(s, 3)))),
  "several entries": (s) => envelope(...times(3, () => entry(s, [mixed(s, 2), mixed(s, 2)]))),
  "several numbers": (s) => envelope(...PHONES.map((phone) => entry({ ...s, phone }, mixed({ ...s, phone }, 2)))),
  "several fields": (s) =>
    envelope(entry(s, [
      mixed(s, 2),
      whole("flows", { event: "ENDPOINT_AVAILABILITY", flow_id: scene.digits(s) }),
      inbound(s, [anyEcho(s)], { field: "smb_message_echoes" }),
      whole("pigeons", { id: scene.digits(s) }, { kind: "unknown" }),
    ])),
  "an album of ten": (s) => {
    const options = { sender: scene.someone(s), at: scene.recent(s) };
    return times(10, () => post(s, [message(s, MESSAGES.image!(s), options)]));
  },
  "1,000 updates": (s) => envelope(...times(5, () => entry(s, times(10, () => mixed(s, 20))))),
  "the same items in other batches": rebatched,
  "the same message twice": (s) => {
    const element = textMessage(s);
    return post(s, [element, anyMessage(s), again(element)]);
  },
  "the same items in two changes": (s) => {
    const elements = [anyMessage(s), anyStatus(s)];
    return envelope(entry(s, [inbound(s, elements), inbound(s, elements.map(again))]));
  },
  "the same items in two entries": (s) => {
    const elements = [anyMessage(s), anyStatus(s), errorElement(s, 131000)];
    const first = entry(s, inbound(s, elements));
    return envelope(first, { ...first, changes: [inbound(s, elements.map(again))] });
  },
  "the same id at two numbers": (s) => {
    const element = textMessage(s);
    return envelope(...PHONES.map((phone) => entry({ ...s, phone }, inbound({ ...s, phone }, [element]))));
  },
  "the same account event at two times": (s) => {
    const change = whole("phone_number_quality_update", { event: "FLAGGED", note: s.random.token(8) });
    return [9, 3].map((days) => envelope(entry(s, change, { time: s.now - days * scene.DAY })));
  },
  "test button": testButton((s, at) => inbound(s, [textMessage(s, { at })])),
  "test button of 2017": testButton((s, at) => inbound(s, [textMessage(s, { at, outcome: "stale" })]), OLD),
  "test button for an account": testButton(
    () =>
      whole("account_update", { phone_number: "250788000999", event: "VERIFIED_ACCOUNT" }, {
        kind: "event",
        outcome: "stale",
      }),
    OLD,
  ),
  "a new field": newField("carrier_pigeons"),
  "a new field with an awkward name": newField("constructor"),
  "no field": newField(undefined),
  "a new array": newArray("poll_votes"),
  "a new array with an awkward name": newArray("a/b~c"),
  "a new array with a name of JavaScript's": newArray("constructor"),
  "new keys": (s) => {
    const element = anyMessage(s);
    const changed = { ...element, json: { ...element.json as Json, brand_new: { a: [1] }, "": 1, __proto: null } };
    const { json, ...rest } = entry(s, inbound(s, [changed], { extra: { mood: "fine", counters: { a: 1 } } }));
    const { body, claims } = envelope({ ...rest, json: { ...json, region: "africa-south" } });
    return { body: { ...body as Json, version: 7 }, claims };
  },
  "an empty array beside messages": (s) => {
    const change = exploded("messages", { ...scene.product(s), statuses: [], errors: [] }, [textMessage(s)]);
    return envelope(entry(s, change));
  },
};
