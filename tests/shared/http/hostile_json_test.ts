import { assert, assertEquals, assertFalse } from "@std/assert";
import fc from "fast-check";
import {
  findUnstorable,
  isDeeperThan,
  isStorable,
  jsonbSafe,
  mayBeUnstorable,
  pointer,
} from "shared/http/hostile_json.ts";

/** Strings with NUL and lone surrogates in them, which fast-check's usual ones avoid. */
const hostileText = fc.array(fc.constantFrom("a", "\u0000", "\ud83d", "\ude00", "😀", "\\u0000"), { maxLength: 4 })
  .map((parts) => parts.join(""));
const { json: hostileJson } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    hostileText,
    fc.integer(),
    fc.constant(null),
    fc.array(tie("json"), { maxLength: 3 }),
    fc.dictionary(hostileText, tie("json"), { maxKeys: 3 }),
  ),
}));

Deno.test("jsonbSafe() leaves nothing that Postgres cannot store, and says whether it changed anything", () => {
  fc.assert(fc.property(hostileJson, (value) => {
    const before = JSON.stringify(value);

    const { value: safe, changed } = jsonbSafe(JSON.parse(before));

    assertEquals(findUnstorable(safe), undefined);
    assertEquals(changed, findUnstorable(value) !== undefined);
    if (!changed) assertEquals(JSON.stringify(safe), before);
  }));
});

Deno.test("jsonbSafe() replaces NUL and lone surrogates in keys and values", () => {
  const { value, changed } = jsonbSafe(
    JSON.parse(String.raw`{"a\u0000b":["x\ud83dy",{"k":"\udc00"}],"ok":"\ud83d\ude00"}`),
  );

  assert(changed);
  assertEquals(value, { "a\ufffdb": ["x\ufffdy", { k: "\ufffd" }], ok: "😀" });
});

Deno.test("jsonbSafe() replaces text that is the whole document", () => {
  assertEquals(jsonbSafe("\u0000"), { value: "\ufffd", changed: true });
});

Deno.test("jsonbSafe() leaves an escaped backslash before u0000 alone", () => {
  assertEquals(jsonbSafe(JSON.parse(String.raw`"\\u0000"`)), { value: String.raw`\u0000`, changed: false });
});

Deno.test("jsonbSafe() survives nesting that would overflow a stack", () => {
  const depth = 200_000;

  const { changed } = jsonbSafe(JSON.parse("[".repeat(depth) + String.raw`"\u0000"` + "]".repeat(depth)));

  assert(changed);
});

Deno.test("jsonbSafe() does not touch the prototype through a key named __proto__", () => {
  const { value } = jsonbSafe(JSON.parse(String.raw`{"__proto__":"\u0000","x":{"__proto__":{"polluted":"\u0000"}}}`));

  assertEquals(({} as Record<string, unknown>).polluted, undefined);
  assertEquals(JSON.stringify(value), '{"x":{"__proto__":{"polluted":"\ufffd"}},"__proto__":"\ufffd"}');
});

Deno.test("mayBeUnstorable() misses nothing in JSON that escapes whatever it can, and lets whole pairs be", () => {
  const units = fc.array(
    fc.constantFrom("\\\\", "\\u0000", "\\ud83d", "\\ude00", "\\uD83D\\uDE00", "ud83d", "u0000", "a"),
  );

  fc.assert(
    fc.property(units, (parts) => {
      const json = `"${parts.join("")}"`;
      if (!isStorable(JSON.parse(json))) assert(mayBeUnstorable(json), json);
    }),
    { numRuns: 2_000 },
  );
  assertFalse(mayBeUnstorable(String.raw`"\ud83d\ude00 \uD83D\uDE00\ud83d\ude00"`));
});

Deno.test("mayBeUnstorable() misses nothing", () => {
  fc.assert(fc.property(hostileJson, (value) => {
    if (findUnstorable(value) !== undefined) assert(mayBeUnstorable(JSON.stringify(value)));
  }));
  assertFalse(mayBeUnstorable('{"text":"Muraho 😀 \\u00e9"}'));
});

Deno.test("findUnstorable() points to the place", () => {
  assertEquals(findUnstorable({ a: [{ "b/c": "\u0000" }] }), "/a/0/b~1c");
  assertEquals(findUnstorable("\u0000"), "");
});

Deno.test("isStorable() draws the line at NUL and lone surrogates", () => {
  assert(isStorable("Muraho 😀 \u0001\ufffe"));
  assertFalse(isStorable("\u0000"));
  assertFalse(isStorable("\ud800"));
});

Deno.test("isDeeperThan() counts brackets, but not those in strings", () => {
  assertFalse(isDeeperThan('[[{"a":1}]]', 3));
  assert(isDeeperThan('[[{"a":1}]]', 2));
  assertFalse(isDeeperThan(String.raw`["[[[[\"[[[["]`, 1));
  assertFalse(isDeeperThan("[][][]", 1));
});

Deno.test("pointer() escapes as RFC 6901 says", () => {
  assertEquals(pointer([]), "");
  assertEquals(pointer(["a/b", "m~n", 0]), "/a~1b/m~0n/0");
});
