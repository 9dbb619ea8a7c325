import { attributeOf, type EvaluationContext } from "./attribute.ts";
import { decimalOf } from "./decimal.ts";
import { instantOf } from "./instant.ts";
import { ipAddressOf, ipRangeOf, isInRange } from "./ip_range.ts";
import { lowerCase } from "./lower_case.ts";
import { compileRegex } from "./regex_program.ts";
import { semverOrder } from "./semver_order.ts";
import type { Condition, Operator } from "./snapshot.ts";

/** A condition, ready to be asked about a context at a time. */
export type Test = (context: EvaluationContext, now: number) => boolean;
type TextTest = (text: string) => boolean;

const COMPARISONS: Record<string, (order: number) => boolean> = {
  EQ: (order) => order === 0,
  GT: (order) => order > 0,
  GTE: (order) => order >= 0,
  LT: (order) => order < 0,
  LTE: (order) => order <= 0,
  AFTER: (order) => order > 0,
  BEFORE: (order) => order < 0,
};

/** How each operator reads its values. What cannot be read is never matched. */
const OPERATORS: Record<Exclude<Operator, "IN_SEGMENT">, (values: string[], condition: Condition) => TextTest> = {
  IN: isOneOf,
  NOT_IN: isOneOf,
  STR_CONTAINS: (values, condition) => anyText(values, condition, (text, value) => text.includes(value)),
  STR_STARTS_WITH: (values, condition) => anyText(values, condition, (text, value) => text.startsWith(value)),
  STR_ENDS_WITH: (values, condition) => anyText(values, condition, (text, value) => text.endsWith(value)),
  NUM_EQ: compared(decimalOf),
  NUM_GT: compared(decimalOf),
  NUM_GTE: compared(decimalOf),
  NUM_LT: compared(decimalOf),
  NUM_LTE: compared(decimalOf),
  DATE_AFTER: compared(instantOf),
  DATE_BEFORE: compared(instantOf),
  SEMVER_EQ: compared(semverOrder),
  SEMVER_GT: compared(semverOrder),
  SEMVER_GTE: compared(semverOrder),
  SEMVER_LT: compared(semverOrder),
  SEMVER_LTE: compared(semverOrder),
  REGEX: matchesOne,
  IN_CIDR: isInOneRange,
};

/** Reads a condition's values once, so that asking it is cheap. */
export function compileCondition(condition: Condition, segments: ReadonlyMap<string, Test>): Test {
  const { operator, values, attribute = "" } = condition;
  const isNegated = (condition.is_inverted ?? false) !== (operator === "NOT_IN");
  if (operator === "IN_SEGMENT") return isInOneSegment(values, segments, isNegated);
  // One that is newer than this evaluator.
  if (!Object.hasOwn(OPERATORS, operator)) return () => false;
  const test = OPERATORS[operator](values, condition);
  const standsForNow = operator.startsWith("DATE_") && attribute === "currentTime";
  return (context, now) => {
    const text = attributeOf(context, attribute) ?? (standsForNow ? new Date(now).toISOString() : undefined);
    return (text !== undefined && test(text)) !== isNegated;
  };
}

/** Somebody of whom a segment is not known is not let in by leaving it out either. */
function isInOneSegment(names: string[], segments: ReadonlyMap<string, Test>, isNegated: boolean): Test {
  const tests = names.map((name) => segments.get(name));
  if (!tests.every((test) => test !== undefined)) return () => false;
  return (context, now) => tests.some((test) => test(context, now)) !== isNegated;
}

function isOneOf(values: string[], { is_case_insensitive }: Condition): TextTest {
  const wanted = new Set(is_case_insensitive ? values.map(lowerCase) : values);
  return (text) => wanted.has(is_case_insensitive ? lowerCase(text) : text);
}

function anyText(
  values: string[],
  { is_case_insensitive }: Condition,
  matches: (text: string, value: string) => boolean,
): TextTest {
  const wanted = is_case_insensitive ? values.map(lowerCase) : values;
  return (text) => {
    const folded = is_case_insensitive ? lowerCase(text) : text;
    return wanted.some((value) => matches(folded, value));
  };
}

function compared<T extends number | string>(read: (text: string) => T | undefined) {
  return (values: string[], { operator }: Condition): TextTest => {
    const wanted = values.map(read).filter((value) => value !== undefined);
    const isMet = COMPARISONS[operator.slice(operator.indexOf("_") + 1)]!;
    return (text) => {
      const actual = read(text);
      return actual !== undefined &&
        wanted.some((value) => isMet(actual < value ? -1 : actual > value ? 1 : 0));
    };
  };
}

function matchesOne(patterns: string[], { is_case_insensitive = false }: Condition): TextTest {
  const tests = patterns.flatMap((pattern) => {
    try {
      return [compileRegex(pattern, is_case_insensitive)];
    } catch {
      return [];
    }
  });
  return (text) => tests.some((test) => test(text));
}

function isInOneRange(values: string[]): TextTest {
  const ranges = values.map(ipRangeOf).filter((range) => range !== undefined);
  return (text) => {
    const address = ipAddressOf(text);
    return address !== undefined && ranges.some((range) => isInRange(address, range));
  };
}
