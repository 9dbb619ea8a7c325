import type { EvaluationContext } from "./attribute.ts";
import { bucketIdOf, chooseVariant, isInRollout } from "./bucketing.ts";
import { compileCondition, type Test } from "./condition.ts";
import type { Bucketing, Flag, FlagSnapshot, Rule } from "./snapshot.ts";

/** How a value came about, in OpenFeature's words. */
export type Reason = "STATIC" | "TARGETING_MATCH" | "SPLIT" | "DEFAULT" | "DISABLED";

/** What a flag says to somebody; of a snapshot, the same outcome is the same object. Without a variant the caller's own default holds. */
export type FlagEvaluation =
  | Readonly<
    { key: string; reason: Reason; variant?: string; value?: unknown; ruleId?: string; prerequisiteKey?: string }
  >
  | Readonly<{ key: string; errorCode: "FLAG_NOT_FOUND" | "TARGETING_KEY_MISSING" }>;

/** A snapshot whose conditions are read already. */
export interface FlagSet {
  environment: string;
  revision: number;
  /** In the order of their keys. */
  flags: ReadonlyMap<string, CompiledFlag>;
}

interface CompiledFlag extends Flag {
  rules: CompiledRule[];
  prerequisites: (Flag["prerequisites"][number] & { unmet: FlagEvaluation })[];
  /** To everybody, when the flag is off. */
  off: FlagEvaluation;
  /** To those that no rule matches. */
  otherwise: FlagEvaluation;
  keyMissing: FlagEvaluation;
}

interface CompiledRule extends Rule {
  tests: Test[];
  /** By variant. */
  served: ReadonlyMap<string, FlagEvaluation>;
}

/** Clock and chance, for evaluations that must be repeatable. */
export interface EvaluationOptions {
  now?: number;
  random?: () => number;
}

type Outcome = { variant: string } | "no match" | "key missing";

const MAX_PREREQUISITE_DEPTH = 10;

/** Reads a snapshot once, for many evaluations. */
export function compileSnapshot({ environment, revision, segments, flags }: FlagSnapshot): FlagSet {
  const segmentTests = new Map(
    Object.entries(segments).map(([key, conditions]): [string, Test] => {
      const tests = conditions.map((condition) => compileCondition(condition, new Map()));
      return [key, (context, now) => tests.every((test) => test(context, now))];
    }),
  );
  const byKey = Object.entries(flags).sort(([one], [other]) => one < other ? -1 : 1);
  const compiled = byKey.map(([key, flag]) => [key, compileFlag(key, flag, segmentTests)] as const);
  return { environment, revision, flags: new Map(compiled) };
}

function compileFlag(key: string, flag: Flag, segments: ReadonlyMap<string, Test>): CompiledFlag {
  const off: FlagEvaluation = { key, reason: "DISABLED", ...served(flag, flag.off_variant) };
  const reason = flag.rules.length > 0 ? "DEFAULT" : "STATIC";
  return {
    ...flag,
    rules: flag.rules.map((rule) => compileRule(key, flag, rule, segments)),
    prerequisites: flag.prerequisites.map((wanted) => ({ ...wanted, unmet: { ...off, prerequisiteKey: wanted.flag } })),
    off,
    otherwise: { key, reason, ...served(flag, flag.default_variant) },
    keyMissing: { key, errorCode: "TARGETING_KEY_MISSING" },
  };
}

function compileRule(key: string, flag: Flag, rule: Rule, segments: ReadonlyMap<string, Test>): CompiledRule {
  const reason = rule.rollout || rule.split ? "SPLIT" : "TARGETING_MATCH";
  const variants = rule.split ? rule.split.weights.map(({ variant }) => variant) : [rule.variant!];
  const evaluations = variants.map((variant): [string, FlagEvaluation] => [
    variant,
    { key, reason, ...served(flag, variant), ruleId: rule.id },
  ]);
  const tests = rule.conditions.map((condition) => compileCondition(condition, segments));
  return { ...rule, tests, served: new Map(evaluations) };
}

/** What a flag says to the one that the context describes. */
export function evaluateFlag(
  set: FlagSet,
  key: string,
  context: EvaluationContext,
  { now = Date.now(), random = Math.random }: EvaluationOptions = {},
): FlagEvaluation {
  return evaluateAt(0, set, key, context, now, random);
}

function evaluateAt(
  depth: number,
  set: FlagSet,
  key: string,
  context: EvaluationContext,
  now: number,
  random: () => number,
): FlagEvaluation {
  const flag = set.flags.get(key);
  if (!flag) return { key, errorCode: "FLAG_NOT_FOUND" };
  if (!flag.is_enabled) return flag.off;
  for (const { flag: name, variants, unmet } of flag.prerequisites) {
    if (depth >= MAX_PREREQUISITE_DEPTH) return unmet;
    const evaluation = evaluateAt(depth + 1, set, name, context, now, random);
    if (!("variant" in evaluation) || !variants.includes(evaluation.variant!)) return unmet;
  }
  for (const rule of flag.rules) {
    if (!isActive(rule, now) || !meetsAll(rule.tests, context, now)) continue;
    const outcome = outcomeOf(rule, context, now, random);
    if (outcome === "key missing") return flag.keyMissing;
    if (outcome !== "no match") return rule.served.get(outcome.variant)!;
  }
  return flag.otherwise;
}

function meetsAll(tests: Test[], context: EvaluationContext, now: number): boolean {
  for (const test of tests) if (!test(context, now)) return false;
  return true;
}

function served(flag: Flag, variant: string | undefined): { variant?: string; value?: unknown } {
  return variant === undefined ? {} : { variant, value: flag.variants[variant] };
}

function isActive(rule: Rule, now: number): boolean {
  return now >= (rule.active_from ?? -Infinity) && now < (rule.active_until ?? Infinity);
}

function outcomeOf(rule: Rule, context: EvaluationContext, now: number, random: () => number): Outcome {
  if (rule.rollout) {
    const id = bucketIdOf(rule.rollout, context, random);
    if (!id) return withoutId(rule.rollout);
    if (!isInRollout(rule.rollout, id, now)) return "no match";
  }
  if (!rule.split) return { variant: rule.variant! };
  const id = bucketIdOf(rule.split, context, random);
  if (!id) return withoutId(rule.split);
  const variant = chooseVariant(rule.split, id);
  return variant === undefined ? "no match" : { variant };
}

/** OpenFeature's own key is owed by the caller; another field may well be unknown. */
function withoutId({ bucket_by }: Bucketing): Outcome {
  return bucket_by.includes("targetingKey") ? "key missing" : "no match";
}
