import fc from "fast-check";
import { EXAMPLES } from "./examples.ts";
import type { Message } from "./payloads.ts";

/** Any JSON that jsonb can hold: no NUL, no lone surrogate. */
const anyJson = fc.jsonValue({ noUnicodeString: false, maxDepth: 4 }).map((value) =>
  JSON.parse(
    JSON.stringify(value).replaceAll("\\u0000", "")
      .replace(/\\ud[89a-f][0-9a-f]{2}/gi, ""),
  ) as unknown
);

/** Values to put where they do not belong. */
export const values = fc.oneof(
  anyJson,
  fc.constantFrom<unknown>(
    null,
    "",
    "type",
    0,
    -1,
    1e300,
    0.1,
    [],
    {},
    [[]],
    [{}],
    [null],
    { type: "text" },
    "x".repeat(5000),
  ),
);

/** An example in which some members or entries were replaced, removed or renamed. */
export const damaged = fc.record({
  message: fc.constantFrom(...Object.values(EXAMPLES)),
  wounds: fc.array(fc.record({ at: fc.nat(), how: fc.constantFrom("replace", "remove", "rename"), value: values }), {
    minLength: 1,
    maxLength: 3,
  }),
}).map(({ message: [type, payload], wounds }): Message => {
  const copy: unknown = structuredClone({ payload });
  for (const { at, how, value } of wounds) {
    const places = placesIn(copy);
    if (places.length === 0) break;
    const [holder, key] = places[at % places.length]!;
    const old = holder[key];
    if (how === "replace") holder[key] = structuredClone(value);
    else if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
    if (how === "rename") holder[`${key}/~`] = old;
  }
  return [type, (copy as { payload?: unknown }).payload ?? null];
});

/** An object, or an array by its indices. */
export type Holder = Record<string, unknown>;

/** Every member and entry of a document, each with what holds it. */
function placesIn(value: unknown): [Holder, string][] {
  if (typeof value !== "object" || value === null) return [];
  const holder = value as Holder;
  return Object.keys(holder).flatMap((key): [Holder, string][] => [[holder, key], ...placesIn(holder[key])]);
}

/** Every object of a document, with its pointer. */
export function objectsIn(value: unknown, path: string): [string, Holder][] {
  if (typeof value !== "object" || value === null) return [];
  const below = Object.entries(value).flatMap(([key, inner]) => objectsIn(inner, `${path}/${key}`));
  return Array.isArray(value) ? below : [[path, value as Holder], ...below];
}
