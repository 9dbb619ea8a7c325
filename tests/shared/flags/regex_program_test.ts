import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { compileRegex } from "../../../shared/flags/regex_program.ts";

Deno.test("compileRegex() matches what JavaScript's own engine matches, where both mean the same", () => {
  const pieces = [
    "a",
    "b",
    "c",
    ".",
    "^",
    "$",
    "\\b",
    "\\d",
    "\\w",
    "[ab]",
    "[^b]",
    "(",
    "(?:",
    ")",
    "|",
    "*",
    "+",
    "?",
    "*?",
    "{2}",
    "{1,2}",
    "{0}",
  ];
  const patterns = fc.array(fc.constantFrom(...pieces), { maxLength: 10 }).map((parts) => parts.join(""));
  const texts = fc.array(fc.constantFrom("a", "b", "c", "1", " ", "-"), { maxLength: 8 }).map((parts) =>
    parts.join("")
  );
  let compared = 0;

  fc.assert(
    fc.property(patterns, texts, (pattern, text) => {
      const [ours, theirs] = [
        attempt(() => compileRegex(pattern, false)(text)),
        attempt(() => new RegExp(pattern, "u").test(text)),
      ];
      if (ours === undefined || theirs === undefined) return;
      compared++;
      assertEquals(ours, theirs, `${pattern} of ${text}`);
    }),
    { numRuns: 20_000 },
  );

  assertEquals(compared > 2_000, true);
});

Deno.test("compileRegex() takes linear time where a backtracking engine would never end", () => {
  assertEquals(compileRegex("^(a+)+$", false)("a".repeat(2_000) + "b"), false);
  assertEquals(compileRegex("^(a|a)*$", false)("a".repeat(2_000) + "b"), false);
});

Deno.test("compileRegex() refuses what engines mean differently, and what is too large", () => {
  for (
    const pattern of [
      "(?=a)",
      "(?<name>a)",
      "(a)\\1",
      "\\pL",
      "a**",
      "^*",
      "[z-a]",
      "[]",
      "a{256}",
      "a{2,1}",
      "(",
      ")",
      "((a{255}){255})",
      "\\",
    ]
  ) {
    assertThrows(() => compileRegex(pattern, false), SyntaxError, undefined, pattern);
  }
});

Deno.test("compileRegex() folds case beyond ASCII, by one rule for pattern and text", () => {
  assertEquals(compileRegex("^KIGALI-É$", true)("kigali-é"), true);
  assertEquals(compileRegex("(?i)^[A-C]+$", false)("aBc"), true);
  assertEquals(compileRegex("^[A-C]+$", false)("aBc"), false);
});

function attempt(work: () => boolean): boolean | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
