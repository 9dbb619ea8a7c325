import type { MiddlewareHandler } from "hono";
import type * as z from "zod";
import { type PointedError, Problem } from "../problem.ts";
import { isStorable, pointer } from "./hostile_json.ts";
import { describeRoute } from "./route_description.ts";
import { validate } from "./validation.ts";

type QueryInput<Schema extends z.ZodType> = { in: { query: z.input<Schema> }; out: { query: z.output<Schema> } };
type ParamInput<Schema extends z.ZodType> = { in: { param: z.input<Schema> }; out: { param: z.output<Schema> } };

/** Accepts a query string that fits the schema, each name once; the handler finds it in `c.req.valid("query")`. */
export function query<Schema extends z.ZodType>(
  schema: Schema,
  // deno-lint-ignore no-explicit-any -- as in body()
): MiddlewareHandler<any, string, QueryInput<Schema>> {
  return describeRoute(async function query(c, next) {
    const values = Object.entries(c.req.queries());
    refuse("validation_failed", "is given more than once", values.filter(([, all]) => all.length > 1));
    refuse("invalid_text", "contains a character that no text column can hold", values.filter(isUnstorable));
    const given = Object.fromEntries(values.map(([name, [value]]) => [name, value]));
    c.req.addValidatedData("query", validate(schema, given) as object);
    await next();
  }, { query: schema, problems: ["invalid_text", "validation_failed"] });
}

/** Accepts path parameters that fit the schema; the handler finds them in `c.req.valid("param")`. */
export function param<Schema extends z.ZodType>(
  schema: Schema,
  // deno-lint-ignore no-explicit-any -- as in body()
): MiddlewareHandler<any, string, ParamInput<Schema>> {
  return describeRoute(async function param(c, next) {
    const given: Record<string, string> = c.req.param();
    const values = Object.entries(given).map(([name, value]): Named => [name, [value]]);
    refuse("invalid_text", "contains a character that no text column can hold", values.filter(isUnstorable));
    c.req.addValidatedData("param", validate(schema, given) as object);
    await next();
  }, { param: schema, problems: ["invalid_text", "validation_failed"] });
}

type Named = readonly [name: string, values: readonly string[]];

function isUnstorable([name, values]: Named): boolean {
  return !isStorable(name) || !values.every(isStorable);
}

function refuse(code: "validation_failed" | "invalid_text", detail: string, offenders: readonly Named[]): void {
  if (offenders.length === 0) return;
  const errors: PointedError[] = offenders.map(([name]) => ({ pointer: pointer([name]), detail }));
  throw new Problem(code, { errors });
}
