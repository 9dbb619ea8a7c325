/** What jsonb and text columns refuse: NUL, and surrogates that have no partner (error 22P05, 22021, 22P02). */
// deno-lint-ignore no-control-regex -- NUL is the point
const UNSTORABLE = /[\u0000\p{Surrogate}]/gu;
/**
 * The only way in which they can stand in well-formed UTF-8 JSON: as an escape of NUL, of a high surrogate without a low
 * one behind it, or of a low one without a high one before it. Rarely true, and cheap to ask.
 */
const ESCAPED = /\\u(?:0000|d[89ab]..(?!\\ud[c-f])|(?<!(?<!\\)\\ud[89ab]..\\u)d[c-f])/i;
/** Where a JSON pointer (RFC 6901) escapes. */
const POINTER_SPECIAL = /[~/]/g;

/** Tells whether text of JSON may hold characters that Postgres cannot store; false means certainly not. */
export function mayBeUnstorable(json: string): boolean {
  return ESCAPED.test(json);
}

/** Tells whether Postgres can store this text as it is. */
export function isStorable(text: string): boolean {
  return text.search(UNSTORABLE) < 0;
}

/**
 * Replaces what jsonb cannot store by U+FFFD, in keys and values, so that one odd character cannot lose a message.
 *
 * @param value - a value fresh from `JSON.parse`; its objects and arrays are changed in place
 */
export function jsonbSafe(value: unknown): { value: unknown; changed: boolean } {
  const root = { value };
  let changed = false;
  for (const { container, key } of placesWithin(root)) {
    const item = container[key];
    if (isStorable(key) && (typeof item !== "string" || isStorable(item))) continue;
    delete container[key];
    container[storable(key)] = typeof item === "string" ? storable(item) : item;
    changed = true;
  }
  return { value: root.value, changed };
}

/** The JSON pointer of a key or value that Postgres cannot store, or undefined when there is none. */
export function findUnstorable(value: unknown): string | undefined {
  for (const place of placesWithin({ value })) {
    const item = place.container[place.key];
    if (!isStorable(place.key) || (typeof item === "string" && !isStorable(item))) return pointer(pathOf(place));
  }
}

/** Tells whether JSON nests arrays and objects deeper than `maxDepth`, without parsing it. */
export function isDeeperThan(json: string, maxDepth: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < json.length; index++) {
    const code = json.charCodeAt(index);
    if (inString) {
      if (code === 0x5c) index++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > maxDepth) return true;
    } else if (code === 0x5d || code === 0x7d) depth--;
  }
  return false;
}

/** A JSON pointer to a place in a document (RFC 6901); the empty string is the whole document. */
export function pointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replace(POINTER_SPECIAL, (found) => found === "~" ? "~0" : "~1")}`).join("");
}

/** One entry of an object or array, and the entry that holds that object. */
interface Place {
  container: Record<string, unknown>;
  key: string;
  parent?: Place;
}

/** Every entry within a value. A list of open work instead of recursion: the sender chooses the nesting, not our stack. */
function* placesWithin(root: Record<string, unknown>): Generator<Place> {
  const open: Place[] = [];
  let container: unknown = root;
  let parent: Place | undefined;
  for (;;) {
    if (typeof container === "object" && container !== null) {
      for (const key of Object.keys(container)) open.push({ container: container as Place["container"], key, parent });
    }
    const place = open.pop();
    if (!place) return;
    container = place.container[place.key];
    parent = place;
    yield place;
  }
}

/** Keys from the document to the place, without the root that holds the document. */
function pathOf(place: Place): string[] {
  const path: string[] = [];
  for (let at = place; at.parent; at = at.parent) path.unshift(at.key);
  return path;
}

function storable(text: string): string {
  return text.replace(UNSTORABLE, "\uFFFD");
}
