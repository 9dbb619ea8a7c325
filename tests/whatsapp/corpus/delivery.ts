/** What an item of a delivery is. */
export type Kind = "message" | "echo" | "history" | "status" | "event" | "unknown";

/** What becomes of an item. */
export type Outcome = "stored" | "duplicate" | "unroutable" | "dead_letter" | "stale";

/** Why an item is a dead letter. */
export type Reason = "not_json" | "not_an_object" | "invalid_id" | "invalid_timestamp";

/** One item of a delivery and what must become of it in an empty database. */
export interface ExpectedItem {
  /** RFC 6901 pointer into the body. */
  path: string;
  kind: Kind;
  outcome: Outcome;
  reason: Reason | null;
  occurred_at: Date | null;
}

/** One POST of Meta's and what it contains. */
export interface Delivery {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  items: ExpectedItem[];
}

export type Json = Record<string, unknown>;

/** What a builder says of one item; `at` in seconds, the entry's time where it is missing. */
export interface Claim {
  kind: Kind;
  at?: number;
  outcome?: Outcome;
  reason?: Reason;
}

export type PlacedClaim = Claim & { path: string };

/** One element of one array of a change's value. */
export interface Element {
  collection: string;
  json: unknown;
  claim: Claim;
  /** The entry of `value.contacts` that Meta sends along. */
  contact?: Json;
}

/** One change; its claims' paths start at the change. `split` gives the same elements in a change each. */
export interface Change {
  json: unknown;
  claims: PlacedClaim[];
  split?: () => Change[];
}

export interface Entry {
  json: Json;
  time?: number;
  changes: Change[];
}

/** A body before it is written down: a JSON value, or bytes that are none. */
export interface Draft {
  body: unknown;
  claims: PlacedClaim[];
}

/** A change whose elements are items. */
export function exploded(field: string, base: Json, elements: Element[]): Change {
  const lists: Record<string, unknown[]> = Object.create(null);
  const claims = elements.map(({ collection, json, claim }) => {
    const list = lists[collection] ??= [];
    const name = collection.replaceAll("~", "~0").replaceAll("/", "~1");
    return { ...claim, path: `/value/${name}/${list.push(json) - 1}` };
  });
  const split = () => elements.map((element) => exploded(field, base, [element]));
  return { json: { value: { ...base, ...lists }, field }, claims, split };
}

/** A change that is one item. */
export function whole(field: string, value: unknown, claim: Claim = { kind: "event" }): Change {
  return { json: { value, field }, claims: [{ ...claim, path: "/value" }] };
}

/** A body of entries. */
export function envelope(...entries: Entry[]): Draft {
  const claims = entries.flatMap((entry, i) =>
    entry.changes.flatMap((change, j) =>
      change.claims.map((claim) => ({
        ...claim,
        at: claim.at ?? entry.time,
        path: `/entry/${i}/changes/${j}${claim.path}`,
      }))
    )
  );
  const entry = entries.map(({ json, changes }) => ({ ...json, changes: changes.map((change) => change.json) }));
  return { body: { object: "whatsapp_business_account", entry }, claims };
}

/** Writes a draft down with one of the encodings. */
export function written(name: string, draft: Draft, encode: (value: unknown) => string): Delivery {
  const bytes = draft.body instanceof Uint8Array
    ? new Uint8Array(draft.body)
    : new TextEncoder().encode(encode(draft.body));
  const items = draft.claims.map(({ path, kind, at, outcome = "stored", reason = null }) => ({
    path,
    kind,
    outcome,
    reason,
    occurred_at: at === undefined ? null : new Date(at * 1000),
  }));
  return { name, bytes, items };
}
