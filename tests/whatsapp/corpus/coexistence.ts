import { type Change, type Element, envelope, exploded, type Json, type PlacedClaim } from "./delivery.ts";
import { MESSAGES } from "./message_types.ts";
import { inbound, message, post } from "./messages.ts";
import { named } from "./people.ts";
import * as scene from "./scene.ts";
import { entry, type Named, type Scenario, type Scene, someone } from "./scene.ts";

/** A message as the phone keeps it: who talked with whom, when, under which id. */
interface Talk {
  id: string;
  at: number;
  user: Named;
  outbound: boolean;
}

/** A part of the conversation history: its JSON, and claims whose paths start at it. */
interface Chunk {
  json: Json;
  claims: PlacedClaim[];
}

function talk(s: Scene, changes: Partial<Talk> = {}): Talk {
  return { id: scene.wamid(s), at: scene.recent(s), user: someone(s), outbound: false, ...changes };
}

function spoken(s: Scene, { id, at, user, outbound }: Talk, part: Json): Json {
  const ours = s.phone.display_phone_number;
  const ends = outbound ? { from: ours, ...named("to", user.identity) } : named("from", user.identity);
  return { ...ends, id, timestamp: scene.stamp(s, at), ...part };
}

/** One element of `message_echoes`: what the business wrote on its phone. */
export function echo(s: Scene, part: Json, of: Partial<Talk> = {}): Element {
  const said = talk(s, { ...of, outbound: true });
  return {
    collection: "message_echoes",
    json: spoken(s, said, part),
    claim: { kind: "echo", at: said.at },
    contact: scene.contactOf(s, said.user),
  };
}

/** A chunk of history with one thread for each talk. */
function chunk(s: Scene, talks: Talk[], part: (s: Scene) => Json = MESSAGES.text!): Chunk {
  const threads = talks.map((said) => ({
    ...(said.user.identity.wa_id && { id: said.user.identity.wa_id }),
    ...(said.user.identity.user_id && { context: { user_id: said.user.identity.user_id } }),
    messages: [{
      ...spoken(s, said, part(s)),
      history_context: { status: s.random.pick(["READ", "DELIVERED", "PENDING"]) },
    }],
  }));
  const progress = {
    phase: s.random.between(0, 2),
    chunk_order: s.random.between(1, 1e9),
    progress: s.random.between(0, 100),
  };
  const claims = talks.map(({ at }, t): PlacedClaim => ({ kind: "history", at, path: `/threads/${t}/messages/0` }));
  return { json: { metadata: progress, threads }, claims };
}

/** A change of field `history`. */
export function synchronised(s: Scene, ...chunks: Chunk[]): Change {
  const claims = chunks.flatMap((chunk, k) =>
    chunk.claims.map((claim) => ({ ...claim, path: `/value/history/${k}${claim.path}` }))
  );
  return {
    json: { value: { ...scene.product(s), history: chunks.map(({ json }) => json) }, field: "history" },
    claims,
  };
}

const past = (s: Scene): Talk =>
  talk(s, { at: s.now - s.random.between(1, 180) * scene.DAY, outbound: s.random.chance(0.4) });

/** The media that belongs to a placeholder of the history, under its id. */
function followUp(s: Scene, said: Talk): Change {
  const json = spoken(s, said, MESSAGES.image!(s));
  return exploded("history", scene.product(s), [{
    collection: "messages",
    json,
    claim: { kind: "history", at: said.at },
  }]);
}

const placeholder = () => ({ type: "media_placeholder" });

/** The same message told in two ways, a delivery each, in the order given. */
function twice(outbound: boolean, ...tellings: ((s: Scene, said: Talk) => Change)[]): Scenario {
  return (s) => {
    const said = talk(s, { outbound });
    return tellings.map((tell) => envelope(entry(s, tell(s, said))));
  };
}

const asHistory = (s: Scene, said: Talk) => synchronised(s, chunk(s, [said]));
const asPlaceholder = (s: Scene, said: Talk) => synchronised(s, chunk(s, [said], placeholder));
const live = (part: (s: Scene) => Json) => (s: Scene, { id, at, user }: Talk) =>
  inbound(s, [message(s, { ...part(s), id }, { at, sender: user })]);
const liveText = live(MESSAGES.text!);
const liveEcho = (s: Scene, said: Talk) =>
  inbound(s, [echo(s, MESSAGES.text!(s), said)], { field: "smb_message_echoes" });

function contactSync(action: string, contact: (person: Named["person"]) => Json): Scenario {
  return (s) => {
    const at = scene.recent(s);
    const { person } = someone(s);
    const json = {
      type: "contact",
      contact: { full_name: `${person.name} ${s.random.token(6)}`, first_name: person.name, ...contact(person) },
      action,
      metadata: { timestamp: String(at) },
    };
    const element: Element = { collection: "state_sync", json, claim: { kind: "event" } };
    return envelope(entry(s, exploded("smb_app_state_sync", scene.product(s), [element]), { time: at }));
  };
}

const echoed = (field: string, name: string, form?: string): Scenario => (s) =>
  post(s, [echo(s, MESSAGES[name]!(s), { user: someone(s, form) })], { field });

/** A number that the business also uses on its phone: echoes, history, contacts. */
export const COEXISTENCE_SCENARIOS: Record<string, Scenario> = {
  "echo text": echoed("smb_message_echoes", "text"),
  "echo image": echoed("smb_message_echoes", "image"),
  "echo edit": echoed("smb_message_echoes", "edit"),
  "echo revoke": echoed("smb_message_echoes", "revoke"),
  "echo to a user id": echoed("smb_message_echoes", "text", "user_id"),
  "echo in the undocumented field": echoed("message_echoes", "text"),
  "echo in the history": echoed("history", "document"),
  "history": (s) => envelope(entry(s, synchronised(s, chunk(s, [past(s), past(s), past(s)]), chunk(s, [past(s)])))),
  "history without a time": (s) => {
    const { json: { time: _, ...json }, changes } = entry(s, synchronised(s, chunk(s, [past(s)])));
    return envelope({ json, changes });
  },
  "history of a stale delivery": (s) => {
    const { claims, ...change } = synchronised(s, chunk(s, [past(s), talk(s)]));
    const stale = claims.map((claim) => ({ ...claim, outcome: "stale" as const }));
    return envelope(entry(s, { ...change, claims: stale }, { time: s.now - 40 * scene.DAY }));
  },
  "history declined": (s) => {
    const error = { code: 2593109, title: "History sharing is off", error_data: { details: s.random.token(20) } };
    return envelope(
      entry(s, synchronised(s, { json: { errors: [error] }, claims: [{ kind: "event", path: "/errors/0" }] })),
    );
  },
  "history of nothing": (s) => {
    const empty = chunk(s, []);
    return envelope(
      entry(s, synchronised(s, chunk(s, [past(s)]), { ...empty, claims: [{ kind: "event", path: "" }] })),
    );
  },
  "media after its placeholder": twice(false, asPlaceholder, followUp),
  "media before its placeholder": twice(false, followUp, asPlaceholder),
  "live after history": twice(false, asHistory, liveText),
  "live before history": twice(false, liveText, asHistory),
  "live before a placeholder": twice(false, live(MESSAGES.image!), asPlaceholder),
  "live after a placeholder and its media": twice(false, asPlaceholder, followUp, live(MESSAGES.image!)),
  "echo after history": twice(true, asHistory, liveEcho),
  "echo before history": twice(true, liveEcho, asHistory),
  "contact added": contactSync("add", ({ wa_id }) => ({ phone_number: wa_id })),
  "contact removed": contactSync("remove", ({ wa_id }) => ({ phone_number: wa_id })),
  "contact added by user id": contactSync("add", ({ user_id, username }) => ({ user_id, username })),
};
