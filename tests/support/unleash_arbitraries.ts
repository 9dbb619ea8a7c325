import fc from "fast-check";
import type {
  UnleashConstraint,
  UnleashContext,
  UnleashFeature,
  UnleashState,
  UnleashStrategy,
  UnleashVariant,
} from "./unleash_model.ts";

/**
 * States that Unleash and we mean alike. Left out on purpose is where we are stricter: numbers in hexadecimal or with
 * spaces, versions with a leading `=`, abbreviated addresses; and case beyond ASCII, which its Node client folds by locale.
 */
const POOLS: Record<string, string[]> = {
  IN: ["RW", "UG", "KE", "é"],
  NOT: ["RW", "UG", "KE"],
  STR: ["RW", "rw", "R", "W", "UGANDA"],
  NUM: ["1", "2", "2.0", "-3.5", "10"],
  SEMVER: ["1.2.3", "1.2.3-rc.1", "1.2.3-rc.2", "2.0.0", "1.10.0"],
  REGEX: ["^R", "W$", "(?i)^rw$", "[A-K]", "\\d+", "\\bUG\\b"],
};
const RANGES = ["10.0.0.0/8", "10.1.2.3", "192.168.0.0/16", "2001:db8::/32", "none"];
const OPERATORS = [
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
  "SEMVER_EQ",
  "SEMVER_GT",
  "SEMVER_GTE",
  "SEMVER_LT",
  "SEMVER_LTE",
  "REGEX",
  "IN_CIDR",
  "DATE_AFTER",
  "DATE_BEFORE",
];
const DATES = ["2026-11-23T10:00:00.000Z", "2026-11-23T12:00:00.000+02:00", "2026-12-01T00:00:00.000Z"];

const constraint: fc.Arbitrary<UnleashConstraint> = fc.constantFrom(...OPERATORS).chain((operator) => {
  const family = operator.split("_")[0]!;
  const pool = operator === "IN_CIDR" ? RANGES : family === "DATE" ? DATES : POOLS[family]!;
  const common = {
    contextName: fc.constant(operator === "IN_CIDR" ? "remoteAddress" : `of_${family}`),
    operator: fc.constant(operator),
    inverted: fc.boolean(),
    caseInsensitive: fc.boolean(),
  };
  const one = fc.constantFrom(...pool);
  return /^(IN|NOT_IN|STR_.*|IN_CIDR)$/.test(operator)
    ? fc.record<UnleashConstraint>({ ...common, values: fc.array(one, { minLength: 1, maxLength: 2 }) })
    : fc.record<UnleashConstraint>({ ...common, value: one });
});

const variants: fc.Arbitrary<UnleashVariant[]> = fc.tuple(
  fc.array(fc.integer({ min: 0, max: 1_000 }), { maxLength: 4 }),
  fc.constantFrom("default", "tenant"),
  fc.boolean(),
).map(([weights, stickiness, isOverridden]) =>
  weights.map((weight, number) => ({
    name: `variant-${number}`,
    weight,
    stickiness,
    payload: { type: "string", value: `value ${number}` },
    ...(isOverridden && number === 1 ? { overrides: [{ contextName: "of_IN", values: ["RW"] }] } : {}),
  }))
);

const strategy: fc.Arbitrary<UnleashStrategy> = fc.record({
  name: fc.constantFrom("flexibleRollout", "flexibleRollout", "default"),
  parameters: fc.record({
    rollout: fc.integer({ min: 0, max: 100 }).map(String),
    stickiness: fc.constantFrom("default", "userId", "tenant", "absent"),
    groupId: fc.constantFrom("fares", "trips"),
  }),
  constraints: fc.array(constraint, { maxLength: 2 }),
  segments: fc.subarray([1, 2, 404], { maxLength: 1 }),
  variants,
});

/** Three features, of which the second and the third may depend on the first. */
export const unleashState: fc.Arbitrary<UnleashState> = fc.record({
  features: fc.tuple(feature("parent", false), feature("child", true), feature("other", true)),
  segments: fc.tuple(
    fc.record({ id: fc.constant(1), constraints: fc.array(constraint, { maxLength: 2 }) }),
    fc.record({ id: fc.constant(2), constraints: fc.array(constraint, { maxLength: 1 }) }),
  ),
});

function feature(name: string, mayDepend: boolean): fc.Arbitrary<UnleashFeature> {
  return fc.record({
    name: fc.constant(name),
    enabled: fc.integer({ min: 0, max: 9 }).map((chance) => chance > 0),
    strategies: fc.array(strategy, { maxLength: 3 }),
    variants,
    dependencies: mayDepend
      ? fc.array(
        fc.record({
          feature: fc.constantFrom("parent", "nobody"),
          enabled: fc.boolean(),
          variants: fc.subarray(["variant-0", "variant-1", "disabled"]),
        }),
        { maxLength: 1 },
      )
      : fc.constant<NonNullable<UnleashFeature["dependencies"]>>([]),
  });
}

/** People with ASCII ids, since that client hashes UTF-16 code units. */
export const unleashContext: fc.Arbitrary<UnleashContext> = fc.record({
  userId: fc.stringMatching(/^[a-z0-9]{1,12}$/),
  remoteAddress: fc.constantFrom("10.1.2.3", "192.168.7.7", "2001:db8::7", "8.8.8.8", "nowhere"),
  currentTime: fc.constantFrom("2026-11-23T10:00:00.000Z", "2026-11-30T00:00:00.000Z"),
  properties: fc.record({
    tenant: fc.stringMatching(/^[a-z0-9]{1,6}$/),
    of_IN: fc.constantFrom(...POOLS.IN!),
    of_NOT: fc.constantFrom(...POOLS.NOT!),
    of_STR: fc.constantFrom(...POOLS.STR!),
    of_NUM: fc.constantFrom<unknown>(...POOLS.NUM!, 2, "many"),
    of_SEMVER: fc.constantFrom(...POOLS.SEMVER!, "newest"),
    of_REGEX: fc.constantFrom("RW", "rw", "UG 7", "K"),
  }, { requiredKeys: ["tenant"] }),
});
