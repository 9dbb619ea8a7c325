import type { Condition, Flag, FlagSnapshot, Operator, Rule } from "../../shared/flags/snapshot.ts";
import type { FlagEvaluation } from "../../shared/flags/evaluate_flag.ts";

/** What Unleash's API tells its clients, as far as we read it. */
export interface UnleashState {
  features: UnleashFeature[];
  segments?: { id: number; constraints: UnleashConstraint[] }[];
}

/** A feature of Unleash. */
export interface UnleashFeature {
  name: string;
  enabled: boolean;
  strategies: UnleashStrategy[];
  variants?: UnleashVariant[];
  dependencies?: { feature: string; enabled?: boolean; variants?: string[] }[];
}

/** A constraint of Unleash. */
export interface UnleashConstraint {
  contextName: string;
  operator: string;
  values?: string[];
  value?: string;
  inverted?: boolean;
  caseInsensitive?: boolean;
}

/** A strategy of Unleash. */
export interface UnleashStrategy {
  name: string;
  parameters?: Record<string, string>;
  constraints?: UnleashConstraint[];
  segments?: number[];
  variants?: UnleashVariant[];
}

/** A variant of Unleash. */
export interface UnleashVariant {
  name: string;
  weight: number;
  stickiness?: string;
  payload?: { type: string; value: string };
  overrides?: { contextName: string; values: string[] }[];
}

/** What Unleash evaluates for. */
export interface UnleashContext {
  properties?: Record<string, unknown>;
  [field: string]: unknown;
}

/** The variant that stands for a feature that is off. */
const OFF = "$off";
/** What Unleash calls the variant of a feature that has none. */
const NO_VARIANT = "disabled";

/** Unleash's features as our model; a feature is on when a rule matches. */
export function translateState({ features, segments = [] }: UnleashState): FlagSnapshot {
  const byName = new Map(features.map((feature) => [feature.name, feature]));
  return {
    environment: "test",
    revision: 1,
    segments: Object.fromEntries(
      segments.map(({ id, constraints }) => [`s${id}`, constraints.map(translateConstraint)]),
    ),
    flags: Object.fromEntries(features.map((feature) => [feature.name, translateFeature(feature, byName)])),
  };
}

/** Unleash's context as one flat object. */
export function translateContext({ properties, ...fields }: UnleashContext): Record<string, unknown> {
  return { ...properties, ...fields };
}

/** What `isEnabled()` of Unleash says. */
export function isOn(evaluation: FlagEvaluation): boolean {
  return "reason" in evaluation && /^(TARGETING_MATCH|SPLIT)$/.test(evaluation.reason);
}

/** What `getVariant()` of Unleash says. */
export function variantOf(evaluation: FlagEvaluation): Record<string, unknown> {
  const isFound = isOn(evaluation) && "variant" in evaluation && evaluation.variant !== NO_VARIANT;
  if (!isFound) return { name: NO_VARIANT, enabled: false, feature_enabled: isOn(evaluation) };
  const payload = evaluation.value ?? undefined;
  return { name: evaluation.variant, ...(payload ? { payload } : {}), enabled: true, feature_enabled: true };
}

function translateFeature(feature: UnleashFeature, byName: Map<string, UnleashFeature>): Flag {
  const variants = [...feature.variants ?? [], ...feature.strategies.flatMap((strategy) => strategy.variants ?? [])];
  return {
    is_enabled: feature.enabled,
    is_client_visible: true,
    variants: {
      ...Object.fromEntries(variants.map(({ name, payload }) => [name, payload ?? null])),
      [NO_VARIANT]: null,
      [OFF]: null,
    },
    default_variant: OFF,
    off_variant: OFF,
    prerequisites: (feature.dependencies ?? []).map((dependency) => {
      const parent = byName.get(dependency.feature);
      // Unleash knows one level of dependencies only.
      if (!parent || parent.dependencies?.length) return { flag: "", variants: [] };
      if (dependency.enabled === false) return { flag: parent.name, variants: [OFF] };
      const all = Object.keys(translateFeature({ ...parent, dependencies: [] }, byName).variants);
      const wanted = dependency.variants?.length ? dependency.variants : all.filter((name) => name !== OFF);
      return { flag: parent.name, variants: wanted };
    }),
    rules: (feature.strategies.length > 0 ? feature.strategies : [{ name: "default" }])
      .flatMap((strategy, number) => translateStrategy(strategy, `r${number}`, feature)),
  };
}

/** One rule for everybody, after one for each override. */
function translateStrategy(strategy: UnleashStrategy, id: string, feature: UnleashFeature): Rule[] {
  const { name, parameters = {} } = strategy;
  const own = strategy.variants?.some(({ weight }) => weight > 0) ? strategy.variants : undefined;
  const variants = own ?? feature.variants ?? [];
  const rule: Rule = {
    id,
    conditions: [
      ...(strategy.constraints ?? []).map(translateConstraint),
      ...(strategy.segments ?? []).map((segment): Condition => ({ operator: "IN_SEGMENT", values: [`s${segment}`] })),
      ...conditionsOfStrategy(name, parameters),
    ],
    ...rolloutOfStrategy(name, parameters),
  };
  if (variants.every(({ weight }) => weight === 0)) return [{ ...rule, variant: NO_VARIANT }];
  const stickiness = variants[0]!.stickiness ?? (own ? parameters.stickiness : undefined);
  const split = {
    bucket_by: !stickiness || stickiness === "default"
      ? ["userId", "sessionId", "remoteAddress", "$random"]
      : [stickiness, "$random"],
    seed: own ? parameters.groupId! : feature.name,
    weights: variants.map((variant) => ({ variant: variant.name, weight: variant.weight })),
  };
  const overriding = variants.flatMap((variant, number) =>
    (variant.overrides ?? []).map(({ contextName, values }, each): Rule => ({
      ...rule,
      id: `${id}-${number}-${each}`,
      conditions: [...rule.conditions, { attribute: contextName, operator: "IN", values }],
      variant: variant.name,
    }))
  );
  return [...overriding, { ...rule, split }];
}

function translateConstraint(constraint: UnleashConstraint): Condition {
  const { contextName, operator, values = [], value, inverted, caseInsensitive } = constraint;
  return {
    attribute: operator.startsWith("DATE_") ? "currentTime" : contextName,
    operator: operator as Operator,
    values: value === undefined ? values.map((each) => each.trim()).filter((each) => each !== "") : [value],
    ...(inverted ? { is_inverted: true } : {}),
    ...(caseInsensitive && /^(STR_|REGEX)/.test(operator) ? { is_case_insensitive: true } : {}),
  };
}

function conditionsOfStrategy(name: string, parameters: Record<string, string>): Condition[] {
  const list = (text = "") => text.split(",").map((each) => each.trim());
  if (name === "userWithId") return [{ attribute: "userId", operator: "IN", values: list(parameters.userIds) }];
  if (name === "remoteAddress") {
    return [{ attribute: "remoteAddress", operator: "IN_CIDR", values: list(parameters.IPs) }];
  }
  return [];
}

function rolloutOfStrategy(name: string, parameters: Record<string, string>): Pick<Rule, "rollout"> {
  if (name === "default" || name === "userWithId" || name === "remoteAddress") return {};
  const stickiness = parameters.stickiness ?? "default";
  const ids: Record<string, string[]> = {
    gradualRolloutUserId: ["userId"],
    gradualRolloutSessionId: ["sessionId"],
    gradualRolloutRandom: ["$random"],
    flexibleRollout: stickiness === "default"
      ? ["userId", "sessionId", "$random"]
      : [stickiness === "random" ? "$random" : stickiness],
  };
  return {
    rollout: {
      bucket_by: ids[name]!,
      seed: parameters.groupId ?? "",
      normalizer: 100,
      ramp: [{ at: 0, threshold: Number(parameters.rollout ?? parameters.percentage) }],
    },
  };
}
