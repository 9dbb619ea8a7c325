import * as z from "zod";

/** The body of every OFREP request. */
export const EvaluationRequest = z.object({
  context: z.record(z.string(), z.unknown()).describe("whom to evaluate for; targetingKey tells people apart"),
});

const Metadata = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

/** A flag that was evaluated; without a value the caller's own default holds. */
export const Success = z.object({
  key: z.string(),
  reason: z.enum(["STATIC", "TARGETING_MATCH", "SPLIT", "DEFAULT", "DISABLED"]),
  variant: z.string().optional(),
  value: z.unknown().optional(),
  metadata: Metadata.optional(),
});

/** Why a flag, or the request, could not be evaluated. */
export const Failure = z.object({
  key: z.string().optional(),
  errorCode: z.enum(["PARSE_ERROR", "INVALID_CONTEXT", "TARGETING_KEY_MISSING", "FLAG_NOT_FOUND", "GENERAL"]),
  errorDetails: z.string().optional(),
});

/** Every flag that the caller may see, by key. */
export const BulkAnswer = z.object({ flags: z.array(z.union([Success, Failure])), metadata: Metadata.optional() });

/** As OFREP names it. */
export type Failure = z.output<typeof Failure>;
/** As OFREP names it. */
export type Success = z.output<typeof Success>;
