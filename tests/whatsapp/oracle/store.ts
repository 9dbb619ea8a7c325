import { createHash } from "node:crypto";
import type { Delivery, Kind } from "../corpus/delivery.ts";
import { type Judged, judged, participantOf, phoneOf, rankOf, type Status, STATUSES } from "./items.ts";
import { canonical, clean, isObject, textAt } from "./json.ts";

/** A stored message, echo or message of the history. `sender` of an outbound one is the person it went to. */
export interface ExpectedMessage {
  phone_number_id: string;
  wamid: string;
  type: string;
  sent_at: Date;
  direction: "inbound" | "outbound";
  sender: { wa_id: string | null; user_id: string | null; parent_user_id: string | null };
}

/** All that is known of one message's way to one participant; `times` holds the statuses seen. */
export interface ExpectedStatus {
  phone_number_id: string;
  wamid: string;
  participant: string;
  status: Status;
  times: Partial<Record<Status, Date>>;
}

/** A stored event or unknown item; compare `content` with `canonical()` of what the database holds. */
export interface ExpectedEvent {
  kind: Kind;
  field: string | null;
  occurred_at: Date | null;
  content: string;
}

/** What a set of deliveries must have left behind, whatever their order; each list is sorted by key. */
export interface ExpectedStore {
  /** How often each body came, by its SHA-256 in hex. */
  copies: Record<string, number>;
  messages: ExpectedMessage[];
  statuses: ExpectedStatus[];
  events: ExpectedEvent[];
  /** Identifiers that some stored message names together, and hence one person's. */
  people: string[][];
}

/** What the database holds after all the deliveries. */
export function expectedStore(deliveries: Iterable<Pick<Delivery, "bytes">>, now: Date): ExpectedStore {
  const copies: Record<string, number> = {};
  const stored: Judged[] = [];
  for (const { bytes } of deliveries) {
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    copies[sha256] = (copies[sha256] ?? 0) + 1;
    if (copies[sha256] === 1) stored.push(...judged(bytes, now, new Set()).filter(isKept));
  }
  const of = (...kinds: Kind[]) => stored.filter(({ kind }) => kinds.includes(kind));
  const messages = sorted(of("message", "echo", "history"), better).map(messageRow);
  const statuses = sorted(of("status").map(statusRow), merged).map(({ row }) => row);
  const events = sorted(of("event", "unknown"), (first) => first).map(eventRow);
  return { copies, messages, statuses, events, people: peopleOf(messages) };
}

/** A duplicate counts: it may be the live message of a history that came first. */
function isKept({ outcome }: Judged): boolean {
  return outcome === "stored" || outcome === "duplicate";
}

/** One of each key, in the keys' order; `choose` picks or merges where there are two. */
function sorted<T extends { key: string }>(items: T[], choose: (first: T, second: T) => T): T[] {
  const byKey = new Map<string, T>();
  for (const item of items) {
    const first = byKey.get(item.key);
    byKey.set(item.key, first ? choose(first, item) : item);
  }
  return [...byKey.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

function better(first: Judged, second: Judged): Judged {
  return rankOf(second) > rankOf(first) ? second : first;
}

function messageRow({ found, kind, occurred_at }: Judged): ExpectedMessage {
  const { json, value } = found;
  const ours = isObject(value) ? textAt(value.metadata, "display_phone_number") : null;
  const outbound = kind === "echo" || (kind === "history" && textAt(json, "from") === ours);
  const role = outbound ? "to" : "from";
  return {
    phone_number_id: phoneOf(found)!,
    wamid: textAt(json, "id")!,
    type: textAt(json, "type")!,
    sent_at: occurred_at!,
    direction: outbound ? "outbound" : "inbound",
    sender: {
      wa_id: textAt(json, role),
      user_id: textAt(json, `${role}_user_id`),
      parent_user_id: textAt(json, `${role}_parent_user_id`),
    },
  };
}

type Course = { key: string; row: ExpectedStatus };

function statusRow({ found, occurred_at }: Judged): Course {
  const status = textAt(found.json, "status") as Status;
  const row = {
    phone_number_id: phoneOf(found)!,
    wamid: textAt(found.json, "id")!,
    participant: participantOf(found.json),
    status,
    times: { [status]: occurred_at! },
  };
  return { key: canonical([row.phone_number_id, row.wamid, row.participant]), row };
}

function merged({ key, row: first }: Course, { row: second }: Course): Course {
  const status = STATUSES[Math.max(STATUSES.indexOf(first.status), STATUSES.indexOf(second.status))]!;
  const times = { ...first.times };
  for (const [name, time] of Object.entries(second.times) as [Status, Date][]) {
    if (!times[name] || time < times[name]) times[name] = time;
  }
  return { key, row: { ...first, status, times } };
}

function eventRow({ kind, found, occurred_at }: Judged): ExpectedEvent {
  const field = typeof found.field === "string" ? clean(found.field) : null;
  return { kind, field, occurred_at, content: canonical(found.json) };
}

function peopleOf(messages: ExpectedMessage[]): string[][] {
  let people: Set<string>[] = [];
  for (const { sender } of messages) {
    const person = new Set(Object.values(sender).filter((id) => id !== null));
    const known = people.filter((other) => !other.isDisjointFrom(person));
    people = people.filter((other) => !known.includes(other));
    if (person.size > 0) people.push(known.reduce((all, other) => all.union(other), person));
  }
  return people.map((person) => [...person].sort()).sort();
}
