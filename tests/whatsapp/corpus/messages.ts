import { type Change, type Claim, type Draft, type Element, envelope, exploded, type Json } from "./delivery.ts";
import { MESSAGES } from "./message_types.ts";
import { FORMS, moved, named, PEOPLE, type Person } from "./people.ts";
import * as scene from "./scene.ts";
import { entry, type Scenario, type Scene, someone, table } from "./scene.ts";

type MessageOptions = Partial<Claim> & { sender?: scene.Named };
type InboundOptions = { field?: string; extra?: Json };

const SYSTEM: Record<string, (person: Person) => Json> = {
  user_changed_number: (person) => ({ wa_id: moved(person).wa_id }),
  customer_changed_number: (person) => ({ new_wa_id: moved(person).wa_id, customer: person.wa_id }),
  user_changed_user_id: (person) => ({ ...FORMS.everything!(moved(person)) }),
  customer_identity_changed: (person) => ({ identity: "Sjvjlx8G6Z0=", customer: person.wa_id }),
};

/** One element of `messages`. What `options` say of it goes to the record. */
export function message(
  s: Scene,
  part: Json,
  { sender = someone(s), at = scene.recent(s), ...claim }: MessageOptions = {},
): Element {
  return {
    collection: "messages",
    json: { ...named("from", sender.identity), id: scene.wamid(s), timestamp: scene.stamp(s, at), ...part },
    claim: { kind: "message", at, ...claim },
    contact: scene.contactOf(s, sender),
  };
}

/** A text message. */
export function textMessage(s: Scene, options: MessageOptions = {}): Element {
  return message(s, MESSAGES.text!(s), options);
}

/** A change of field `messages`: the elements, and the contacts that belong to them. */
export function inbound(
  s: Scene,
  elements: Element[],
  { field = "messages", extra = {} }: InboundOptions = {},
): Change {
  const contacts = elements.flatMap(({ contact }) => contact ?? []);
  return exploded(field, { ...scene.product(s), ...(contacts.length && { contacts }), ...extra }, elements);
}

/** One element of `errors`. */
export function errorElement(s: Scene, code: number): Element {
  const json = { code, title: "Something went wrong", error_data: { details: s.random.token(20) } };
  return { collection: "errors", json, claim: { kind: "event" } };
}

/** A body of one entry with one such change. */
export function post(s: Scene, elements: Element[], options?: InboundOptions): Draft {
  return envelope(entry(s, inbound(s, elements, options)));
}

function systemMessage(type: string): Scenario {
  return (s) => {
    const person = s.random.pick(PEOPLE.slice(-5));
    const sender = scene.as(person, s.random.pick(["phone", "phone_and_user_id"]));
    const system = { body: `${person.name} changed`, type, ...SYSTEM[type]!(person) };
    return post(s, [{ ...message(s, { type: "system", system }, { sender }), contact: undefined }]);
  };
}

const ROUTING = { conversation_context: { type: "summary", summary: { text: "Asked for a moto…" } } };

/** Inbound messages: one scenario a type, and the shapes around them. */
export const MESSAGE_SCENARIOS: Record<string, Scenario> = {
  ...table("type", MESSAGES, (part) => (s) => post(s, [message(s, part(s))])),
  ...table("system", SYSTEM, (_, type) => systemMessage(type)),
  ...table("sender by", FORMS, (_, form) => (s) => post(s, [textMessage(s, { sender: someone(s, form) })])),
  "sender by number, then user id, then both": (s) => {
    const person = s.random.pick(PEOPLE);
    const forms = ["phone", "user_id", "phone_and_user_id", "everything"];
    return forms.map((form) => post(s, [textMessage(s, { sender: scene.as(person, form) })]));
  },
  "sender unknown": (s) => {
    const nobody = { ...someone(s), identity: {} };
    return post(s, [{ ...textMessage(s, { sender: nobody }), contact: undefined }]);
  },
  "interactive without a reply": (s) => post(s, [message(s, { type: "interactive" }), errorElement(s, 131000)]),
  "errors alone": (s) => post(s, [errorElement(s, 130429), errorElement(s, 131052)]),
  "user_actions": (s) => {
    const json = { action_type: "marketing_messages_link_click", click_id: s.random.token(22), tracking_token: "t/1" };
    return post(s, [{ collection: "user_actions", json, claim: { kind: "event" } }]);
  },
  "conversation_context": (s) => post(s, [textMessage(s)], { extra: ROUTING }),
  "standby": (s) => {
    const shared = textMessage(s);
    return [post(s, [shared, errorElement(s, 131000), textMessage(s)], { field: "standby" }), post(s, [shared])];
  },
};
