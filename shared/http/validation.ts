import type * as z from "zod";
import { type PointedError, Problem } from "../problem.ts";
import { pointer } from "./hostile_json.ts";

/** More would help nobody, and the list grows with what a stranger sends. */
const MAX_ERRORS = 50;

/**
 * Checks a value against a schema and returns what the schema makes of it.
 *
 * @throws validation_failed (422) with a pointer to each place that is wrong
 */
export function validate<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Problem("validation_failed", { errors: result.error.issues.flatMap(pointedErrors).slice(0, MAX_ERRORS) });
}

function pointedErrors(issue: z.core.$ZodIssue): PointedError[] {
  if (issue.code !== "unrecognized_keys") return [{ pointer: pointer(issue.path), detail: issue.message }];
  return issue.keys.map((key) => ({ pointer: pointer([...issue.path, key]), detail: "This key is not known." }));
}
