import fc from "fast-check";
import type { Bucketing, Condition, Flag, FlagSnapshot, Operator, Rule } from "../../shared/flags/snapshot.ts";

/** Values that come near each other, so that conditions hold as often as not. */
const TEXTS = [
  "",
  "RW",
  "rw",
  "Kigali",
  "kigali-é",
  "KIGALI-É",
  "Ολος",
  "ΟΛΟΣ",
  "İ",
  "ß",
  "😀 ok",
  "true",
  "250788000001",
  "a b",
];
const NUMBERS = ["0", "12", "12.0", "-3", ".5", "5.", "1e3", "1000", "0x10", " 1", "1e999", "NaN", "0.1", "000012"];
const DATES = [
  "2026-11-23T10:00:00Z",
  "2026-11-23T12:00:00+02:00",
  "2026-11-23T10:00:00.001Z",
  "2026-11-23T10:00:00.000999Z",
  "2026-11-23",
  "2026-02-30",
  "2024-02-29T00:00Z",
  "1969-12-31T23:59:59.999Z",
  "0001-01-01T00:00:00+14:00",
  "2026-11-23T24:00:00Z",
  "tomorrow",
];
const VERSIONS = [
  "1.2.3",
  "1.10.0",
  "1.2.3-alpha",
  "1.2.3-alpha.1",
  "1.2.3-alpha.10",
  "1.2.3-alpha-b",
  "1.2.3-1",
  "1.2.3+build",
  "v1.2.3",
  "01.2.3",
  "1.2",
  "99999999999999999999.0.0",
];
const ADDRESSES = [
  "10.0.0.1",
  "10.0.0.0/8",
  "10.1.2.3/31",
  "010.0.0.1",
  "10.0",
  "255.255.255.256",
  "::1",
  "::ffff:10.0.0.1",
  "2001:db8::1",
  "2001:db8::/32",
  "2001:DB8:0:0::1/127",
  "1::2::3",
  "::/0",
  "0.0.0.0/0",
  "10.0.0.1/33",
  "fe80::1%eth0",
  "1:2:3:4:5:6:7:8",
  "1:2:3:4:5:6:7::",
  "::2:3:4:5:6:7:8",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:1.2.3.4",
];
const PIECES = [
  "a",
  "b",
  "K",
  "é",
  "É",
  "İ",
  "😀",
  ".",
  "^",
  "$",
  "\\b",
  "\\B",
  "\\d",
  "\\D",
  "\\w",
  "\\W",
  "\\s",
  "\\S",
  "[a-c]",
  "[^a-c]",
  "[A-K_]",
  "[[:alpha:]-]",
  "[^\\w]",
  "[é-ü]",
  "[a\\]\\-]",
  "(",
  "(?:",
  ")",
  "|",
  "*",
  "+",
  "?",
  "*?",
  "{2}",
  "{1,}",
  "{0,3}?",
  "{3,2}",
  "\\.",
  "\\n",
  "-",
  "/",
  "]",
  "}",
  " ",
  "(?=",
  "\\1",
  "(?i)",
  "[z-a]",
  "[[:upper:]]",
  "[\\d-z]",
  "x{0}",
  "\n",
];
const POOLS: Record<string, string[]> = {
  NUM: NUMBERS,
  DATE: DATES,
  SEMVER: VERSIONS,
  STR: TEXTS,
  IN: TEXTS,
  NOT: TEXTS,
};
const ATTRIBUTES = ["country", "userId", "device.os", "currentTime", "targetingKey", "absent"];
const VARIANTS = ["red", "green", "blue"];
const PLAIN: Operator[] = [
  "IN",
  "NOT_IN",
  "STR_CONTAINS",
  "STR_STARTS_WITH",
  "STR_ENDS_WITH",
  "NUM_EQ",
  "NUM_GT",
  "NUM_GTE",
  "NUM_LT",
  "NUM_LTE",
  "DATE_AFTER",
  "DATE_BEFORE",
  "SEMVER_EQ",
  "SEMVER_GT",
  "SEMVER_GTE",
  "SEMVER_LT",
  "SEMVER_LTE",
  "REGEX",
  "IN_CIDR",
];

/** Patterns, many of them broken. */
export const pattern: fc.Arbitrary<string> = fc.tuple(
  fc.constantFrom("", "", "", "^", "(?i)", "^(?i)", "(?m)", "(?s)", "(?ims)"),
  fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }),
).map(([flags, pieces]) => flags + pieces.join(""));

/** Texts that those patterns may match. */
export const subject: fc.Arbitrary<string> = fc.array(
  fc.constantFrom("a", "b", "c", "k", "K", "é", "É", "İ", "i", "😀", " ", "\n", "-", "_", ".", "1", "z", "]", "\r"),
  { maxLength: 8 },
).map((parts) => parts.join(""));

const scalar = fc.oneof(
  fc.constantFrom<unknown>(...TEXTS, ...NUMBERS, ...DATES, ...VERSIONS, ...ADDRESSES),
  subject,
  fc.constantFrom<unknown>(
    12,
    12.5,
    -0,
    1e21,
    1e-7,
    0.000001,
    123456789012345680,
    true,
    false,
    null,
    [],
    ["RW"],
    {},
    0.1 + 0.2,
  ),
);

/** Contexts of evaluation, with ids in several scripts. */
export const context: fc.Arbitrary<Record<string, unknown>> = fc.record({
  country: scalar,
  userId: fc.oneof(fc.string({ maxLength: 12, unit: "grapheme" }).filter(isStorable), scalar),
  targetingKey: fc.oneof(fc.string({ maxLength: 20, unit: "grapheme" }).filter(isStorable), fc.uuid()),
  currentTime: fc.oneof(fc.constantFrom(...DATES), scalar),
  "device": fc.record({ os: scalar }, { requiredKeys: [] }),
  "device.os": scalar,
}, { requiredKeys: [] });

/** Moments around those that the ramps below know. */
export const moment: fc.Arbitrary<number> = fc.integer({ min: 1_790_000_000_000, max: 1_800_000_000_000 });

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

const condition: fc.Arbitrary<Condition> = fc.constantFrom(...PLAIN).chain((operator) =>
  fc.record({
    attribute: fc.constantFrom(...ATTRIBUTES),
    operator: fc.constant(operator),
    values: fc.array(valueOf(operator), { maxLength: 3 }),
    is_inverted: fc.boolean(),
    is_case_insensitive: fc.constant(/^(IN|NOT_IN|STR_.*|REGEX)$/.test(operator)).chain((has) =>
      has ? fc.boolean() : fc.constant(false)
    ),
  })
);

function valueOf(operator: Operator): fc.Arbitrary<string> {
  if (operator === "REGEX") return pattern;
  return fc.constantFrom(...(operator === "IN_CIDR" ? ADDRESSES : POOLS[operator.split("_")[0]!]!));
}

/** A condition, and a text of the kind that it compares with. */
export const comparison: fc.Arbitrary<{ condition: Condition; text: string }> = condition.chain((each) =>
  fc.record({
    condition: fc.constant({ ...each, attribute: "country" }),
    text: each.operator === "REGEX" ? subject : valueOf(each.operator),
  })
);

const segmentCondition: fc.Arbitrary<Condition> = fc.record({
  operator: fc.constant<Operator>("IN_SEGMENT"),
  values: fc.array(fc.constantFrom("one", "two", "unknown"), { minLength: 1, maxLength: 2 }),
  is_inverted: fc.boolean(),
});

const bucketing: fc.Arbitrary<Bucketing> = fc.record({
  bucket_by: fc.array(fc.constantFrom("targetingKey", "userId", "device.os", "absent"), { minLength: 1, maxLength: 2 }),
  seed: fc.constantFrom("fare", "prix-é", ""),
});

const rollout = fc.tuple(
  bucketing,
  fc.constantFrom(100, 10_000, 1_000_000),
  fc.uniqueArray(fc.integer({ min: 1_790_000_000_000, max: 1_800_000_000_000 }), { minLength: 1, maxLength: 3 }),
  fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
).map(([bucket, normalizer, times, shares]) => ({
  ...bucket,
  normalizer,
  ramp: times.sort((one, other) => one - other).map((at, number) => ({
    at,
    threshold: Math.round(shares[number]! * normalizer),
  })),
}));

const split = fc.tuple(bucketing, fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 3, maxLength: 3 })).map(
  ([bucket, weights]) => ({
    ...bucket,
    weights: VARIANTS.map((variant, number) => ({ variant, weight: weights[number]! })),
  }),
);

const rule: fc.Arbitrary<Rule> = fc.record({
  id: fc.constantFrom("r1", "r2"),
  conditions: fc.array(fc.oneof({ weight: 5, arbitrary: condition }, segmentCondition), { maxLength: 1 }),
  active_from: fc.integer({ min: 1_600_000_000_000, max: 1_792_000_000_000 }),
  active_until: fc.integer({ min: 1_798_000_000_000, max: 1_900_000_000_000 }),
  rollout,
  variant: fc.constantFrom(...VARIANTS),
  split,
}, { requiredKeys: ["id", "conditions", "variant"] }).map(({ variant, ...rest }) =>
  rest.split ? rest : { ...rest, variant }
);

const flag: fc.Arbitrary<Flag> = fc.record({
  is_enabled: fc.integer({ min: 0, max: 9 }).map((chance) => chance > 0),
  is_client_visible: fc.boolean(),
  variants: fc.constant<Flag["variants"]>({ red: "#f00", green: { hex: "é" }, blue: null }),
  default_variant: fc.constantFrom(...VARIANTS),
  off_variant: fc.constantFrom(...VARIANTS),
  prerequisites: fc.oneof(
    { weight: 3, arbitrary: fc.constant<Flag["prerequisites"]>([]) },
    fc.array(
      fc.record({
        flag: fc.constantFrom("first", "second", "nobody"),
        variants: fc.subarray(VARIANTS, { minLength: 1 }),
      }),
      { maxLength: 1 },
    ),
  ),
  rules: fc.array(rule, { maxLength: 3 }),
}, { requiredKeys: ["is_enabled", "is_client_visible", "variants", "prerequisites", "rules"] });

/** Environments of two flags that may build on each other, in a circle too. */
export const snapshot: fc.Arbitrary<FlagSnapshot> = fc.record({
  environment: fc.constant("test"),
  revision: fc.constant(1),
  segments: fc.record({
    one: fc.array(condition, { maxLength: 2 }),
    two: fc.array(condition, { maxLength: 2 }),
  }),
  flags: fc.record({ first: flag, second: flag }),
});
