/** How a condition compares: Unleash's operators, and membership of a segment. */
export type Operator =
  | "IN"
  | "NOT_IN"
  | "STR_CONTAINS"
  | "STR_STARTS_WITH"
  | "STR_ENDS_WITH"
  | "NUM_EQ"
  | "NUM_GT"
  | "NUM_GTE"
  | "NUM_LT"
  | "NUM_LTE"
  | "DATE_AFTER"
  | "DATE_BEFORE"
  | "SEMVER_EQ"
  | "SEMVER_GT"
  | "SEMVER_GTE"
  | "SEMVER_LT"
  | "SEMVER_LTE"
  | "REGEX"
  | "IN_CIDR"
  | "IN_SEGMENT";

/** Something about the context that holds when it holds for any of the values. */
export interface Condition {
  /** A field of the context, or a path into it (`device.os`); IN_SEGMENT has none. */
  attribute?: string;
  operator: Operator;
  values: string[];
  is_inverted?: boolean;
  is_case_insensitive?: boolean;
}

/** What decides to which share somebody belongs: the same in every evaluation, whoever makes it. */
export interface Bucketing {
  /** Fields of the context, of which the first that is there counts; `$random` is always there. */
  bucket_by: string[];
  seed: string;
}

/** A share of people, which may grow with time. */
export interface Rollout extends Bucketing {
  /** Of how many parts the share is counted: 100 as in Unleash, 10000 for steps of 0.01 %. */
  normalizer: number;
  /** Points in time order, `at` in epoch milliseconds; between two of them the threshold moves evenly. */
  ramp: { at: number; threshold: number }[];
}

/** People are divided among variants by weight. */
export interface Split extends Bucketing {
  weights: { variant: string; weight: number }[];
}

/** Who gets which variant; of a flag's rules the first that matches decides. */
export interface Rule {
  id: string;
  /** All must hold. */
  conditions: Condition[];
  /** Epoch milliseconds; included. */
  active_from?: number;
  /** Epoch milliseconds; excluded. */
  active_until?: number;
  rollout?: Rollout;
  /** Either this or a split. */
  variant?: string;
  split?: Split;
}

/** A flag as it stands in one environment. */
export interface Flag {
  is_enabled: boolean;
  is_client_visible: boolean;
  variants: Record<string, unknown>;
  /** Served when no rule matches; without it the caller's own default is. */
  default_variant?: string;
  /** Served when the flag is off or a prerequisite is not met; without it the caller's own default is. */
  off_variant?: string;
  prerequisites: { flag: string; variants: string[] }[];
  rules: Rule[];
}

/** Everything that evaluating the flags of one environment takes: what SQL's `flag_snapshot()` answers. */
export interface FlagSnapshot {
  environment: string;
  /** Rises with every change. */
  revision: number;
  segments: Record<string, Condition[]>;
  flags: Record<string, Flag>;
}
