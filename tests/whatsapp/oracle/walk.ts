import type { Json, Kind, Reason } from "../corpus/delivery.ts";
import { EVENTS, EXPLODED } from "./fields.ts";
import { isObject, listOf } from "./json.ts";

/** An item as it stands in the body, before anything is decided. */
export interface Found {
  path: string;
  kind: Kind;
  json: unknown;
  reason?: Reason;
  /** Set for an element of an exploded array. */
  isElement?: boolean;
  field?: unknown;
  value?: unknown;
  entry?: unknown;
}

/** Every item of a body, in the order in which they stand there. */
export function* itemsOf(bytes: Uint8Array): Generator<Found> {
  let body: unknown;
  try {
    body = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return yield { path: "", kind: "unknown", json: null, reason: "not_json" };
  }
  const entries = isObject(body) && body.object === "whatsapp_business_account" ? listOf(body.entry) : [];
  if (entries.length === 0) yield { path: "", kind: "unknown", json: body };
  for (const [i, entry] of entries.entries()) {
    const changes = isObject(entry) ? listOf(entry.changes) : [];
    if (changes.length === 0) yield { path: `/entry/${i}`, kind: "unknown", json: entry, entry };
    for (const [j, change] of changes.entries()) yield* itemsOfChange(`/entry/${i}/changes/${j}`, change, entry);
  }
}

function* itemsOfChange(path: string, change: unknown, entry: unknown): Generator<Found> {
  if (!isObject(change)) return yield { path, kind: "unknown", json: change, entry, reason: "not_an_object" };
  const { field, value } = change;
  const context = { field, value, entry };
  const place = "value" in change ? { path: `${path}/value`, json: value } : { path, json: change };
  const kinds = EXPLODED.get(field);
  if (!kinds) return yield { ...place, ...context, kind: EVENTS.has(field) ? "event" : "unknown" };
  const elements = isObject(value) ? [...elementsOf(value, kinds)] : [];
  for (const element of elements) {
    yield { ...context, ...element, path: `${path}/value${element.path}`, isElement: true };
  }
  if (elements.length === 0) yield { ...place, ...context, kind: "unknown" };
}

function* elementsOf(value: Json, kinds: Record<string, Kind>): Generator<Pick<Found, "path" | "kind" | "json">> {
  for (const [name, list] of Object.entries(value)) {
    if (name === "contacts") continue;
    const kind = Object.hasOwn(kinds, name) ? kinds[name]! : "unknown";
    const pointer = name.replaceAll("~", "~0").replaceAll("/", "~1");
    for (const [k, json] of listOf(list).entries()) {
      const element = { path: `/${pointer}/${k}`, kind, json };
      if (name === "history" && kind === "event") yield* elementsOfChunk(element);
      else yield element;
    }
  }
}

function* elementsOfChunk(chunk: Pick<Found, "path" | "kind" | "json">): Generator<typeof chunk> {
  const { threads, errors } = isObject(chunk.json) ? chunk.json : {};
  const messages = listOf(threads).flatMap((thread, t) =>
    listOf(isObject(thread) ? thread.messages : undefined).map((json, m) => ({
      path: `${chunk.path}/threads/${t}/messages/${m}`,
      kind: "history" as const,
      json,
    }))
  );
  const failures = listOf(errors).map((json, k) => ({
    path: `${chunk.path}/errors/${k}`,
    kind: "event" as const,
    json,
  }));
  yield* messages.length + failures.length > 0 ? [...messages, ...failures] : [chunk];
}
