import { isStorable } from "shared/http/hostile_json.ts";
import * as z from "zod";

const Name = z.string().min(1).max(200).refine(isStorable, "contains a character that cannot be stored");
const Day = z.iso.date();
const days = {
  from_day: Day.optional().describe("a day in Kigali; by default 29 days before to_day"),
  to_day: Day.optional().describe("included; by default today"),
};
const MaxCount = z.coerce.number().int().min(1).max(100);

/** The text of a JSON array: names of events may contain any separator. */
const Steps = z.string().max(10_000).transform((text, context) => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    context.addIssue({ code: "custom", message: 'expected a JSON array: ["Ride Requested","Ride Completed"]' });
    return z.NEVER;
  }
}).pipe(z.array(Name).min(1).max(10));

/** Some days. */
export const Days = z.strictObject(days);

/** Activity of any kind, or by one event. */
export const ActiveUsersQuery = z.strictObject({ ...days, event_name: Name.optional() });

/** A funnel. */
export const FunnelQuery = z.strictObject({
  steps: Steps.describe('a JSON array of 1 to 10 event names: ["Ride Requested","Ride Completed"]'),
  ...days,
  conversion_seconds: z.coerce.number().int().min(1).max(7_776_000).default(604_800),
  breakdown: Name.optional().describe("the name of a property"),
  breakdown_by: z.enum(["first_step", "every_step"]).default("first_step"),
});

/** Cohorts. */
export const RetentionQuery = z.strictObject({
  ...days,
  period: z.enum(["day", "week"]).default("day"),
  period_count: z.coerce.number().int().min(1).max(92).default(7).describe("53 at most, of weeks"),
  start_event: Name.optional().describe("what makes a newcomer; by default anything"),
  return_event: Name.optional().describe("what is coming back; by default anything"),
});

/** The most frequent of something. */
export const TopQuery = z.strictObject({ ...days, max_count: MaxCount.default(20) });

/** The properties of an event, or the values of one of them. */
export const PropertiesQuery = z.strictObject({
  event_name: Name,
  property_name: Name.optional().describe("its values instead of the names"),
  ...days,
  max_count: MaxCount.default(20),
});

/** One person, and which page of what they did. */
export const TimelineQuery = z.strictObject({
  user_id: z.string().min(1).max(255).optional().describe("this or anonymous_id"),
  anonymous_id: z.string().min(1).max(255).optional(),
  before_at: z.iso.datetime({ offset: true }).optional().describe("occurred_at of the last row of the page before"),
  before_id: z.uuid().optional().describe("its id"),
  max_count: MaxCount.default(50),
});

/** One flag. */
export const FlagsQuery = z.strictObject({ flag_key: Name, environment: Name.optional(), ...days });

function report<Row extends z.ZodRawShape>(row: Row) {
  return z.object({ time_zone: z.literal("Africa/Kigali").describe("of every day"), rows: z.array(z.object(row)) });
}

const counts = { event_count: z.int(), actor_count: z.int() };
const Rate = z.number().nullable();

/** The days asked for, and as many before them. */
export const Summary = report({
  from_day: Day,
  to_day: Day,
  ...counts,
  event_name_count: z.int(),
  new_actor_count: z.int(),
});
/** People by day, week and month. */
export const ActiveUsers = report({ day: Day, dau: z.int(), wau: z.int(), mau: z.int() });
/** A line for each step, of each value. */
export const Funnel = report({
  value: z.string().nullable(),
  step: z.int(),
  event_name: z.string(),
  actor_count: z.int(),
  conversion_from_first: Rate,
  conversion_from_previous: Rate,
  median_seconds: Rate,
});
/** A line for each cohort and period that has begun. */
export const Retention = report({ cohort_on: Day, cohort_size: z.int(), period: z.int(), actor_count: z.int() });
/** A line for all days, its day null, and one for each. */
export const Sessions = report({
  day: Day.nullable(),
  session_count: z.int(),
  ...counts,
  bounce_count: z.int(),
  bounce_rate: Rate,
  median_seconds: Rate,
  average_seconds: Rate,
});
/** The most frequent events. */
export const Top = report({ event_name: z.string(), ...counts });
/** The most frequent properties of an event, or values of a property. */
export const Properties = report({
  property_name: z.string().optional(),
  value: z.string().nullable().optional(),
  ...counts,
});
/** What a person did, the newest first. */
export const Timeline = report({
  id: z.uuid(),
  occurred_at: z.string(),
  event_name: z.string(),
  type: z.string(),
  event_category: z.string().nullable(),
  user_id: z.string().nullable(),
  anonymous_id: z.string().nullable(),
  session_id: z.string().nullable(),
  group_id: z.string().nullable(),
  properties: z.record(z.string(), z.unknown()),
  received_at: z.string(),
});
/** A line for each day and variant. */
export const Flags = report({
  day: Day,
  variant: z.string().nullable(),
  actor_count: z.int(),
  share: z.number(),
  estimated_actor_count: z.int().describe("with the people that the sample left out"),
});
