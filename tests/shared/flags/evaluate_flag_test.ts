import { assertAlmostEquals, assertEquals } from "@std/assert";
import { compileSnapshot, evaluateFlag } from "../../../shared/flags/evaluate_flag.ts";
import type { Flag, FlagSnapshot, Rule } from "../../../shared/flags/snapshot.ts";

function environment(...rules: Rule[]): FlagSnapshot {
  const fare: Flag = {
    is_enabled: true,
    is_client_visible: false,
    variants: { on: true, off: false },
    default_variant: "off",
    off_variant: "off",
    prerequisites: [],
    rules,
  };
  return { environment: "test", revision: 1, segments: {}, flags: { fare } };
}

function rolledOut(threshold: number): Rule {
  return {
    id: "r",
    conditions: [],
    variant: "on",
    rollout: { bucket_by: ["targetingKey"], seed: "s", normalizer: 10_000, ramp: [{ at: 0, threshold }] },
  };
}

function shareOf(snapshot: FlagSnapshot, options: { now?: number } = {}): number {
  const set = compileSnapshot(snapshot);
  const people = Array.from({ length: 20_000 }, (_, number) => `umuntu-é-${number}`);
  return people.filter((targetingKey) => isOn(evaluateFlag(set, "fare", { targetingKey }, options))).length /
    people.length;
}

function isOn(evaluation: ReturnType<typeof evaluateFlag>): boolean {
  return "variant" in evaluation && evaluation.variant === "on";
}

Deno.test("a rollout lets in the share that it names, in steps of 0.01 %", () => {
  assertEquals(shareOf(environment(rolledOut(0))), 0);
  assertAlmostEquals(shareOf(environment(rolledOut(50))), 0.005, 0.002);
  assertAlmostEquals(shareOf(environment(rolledOut(2_500))), 0.25, 0.01);
  assertEquals(shareOf(environment(rolledOut(10_000))), 1);
});

Deno.test("who is in at a smaller share is in at a greater", () => {
  const [small, great] = [1_000, 3_000].map((threshold) => compileSnapshot(environment(rolledOut(threshold))));
  const people = Array.from({ length: 2_000 }, (_, number) => ({ targetingKey: `p${number}` }));

  const lost = people.filter((person) =>
    isOn(evaluateFlag(small!, "fare", person)) && !isOn(evaluateFlag(great!, "fare", person))
  );

  assertEquals(lost, []);
});

Deno.test("a ramp grows evenly between its points and stays outside of them", () => {
  const rule = rolledOut(0);
  rule.rollout!.ramp = [{ at: 1_000, threshold: 1_000 }, { at: 2_000, threshold: 9_000 }];

  const shares = [0, 1_000, 1_500, 2_000, 9_000].map((now) =>
    Math.round(shareOf(environment(rule), { now }) * 10) / 10
  );

  assertEquals(shares, [0.1, 0.1, 0.5, 0.9, 0.9]);
});

Deno.test("a window holds from its beginning until before its end", () => {
  const set = compileSnapshot(
    environment({ id: "w", conditions: [], variant: "on", active_from: 10, active_until: 20 }),
  );

  assertEquals([9, 10, 19, 20].map((now) => isOn(evaluateFlag(set, "fare", {}, { now }))), [false, true, true, false]);
});

Deno.test("a rollout by another attribute than the targeting key passes by those who have none", () => {
  const rule = rolledOut(10_000);
  rule.rollout!.bucket_by = ["tenant"];

  assertEquals(evaluateFlag(compileSnapshot(environment(rule)), "fare", {}), {
    key: "fare",
    reason: "DEFAULT",
    variant: "off",
    value: false,
  });
});

Deno.test("names that every object has are no flags, attributes or variants", () => {
  const set = compileSnapshot(
    environment({
      id: "r",
      conditions: [{ attribute: "constructor", operator: "REGEX", values: ["."] }],
      variant: "on",
    }),
  );

  assertEquals(evaluateFlag(set, "toString", {}), { key: "toString", errorCode: "FLAG_NOT_FOUND" });
  assertEquals(isOn(evaluateFlag(set, "fare", {})), false);
});
