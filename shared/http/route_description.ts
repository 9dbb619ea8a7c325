import type * as z from "zod";
import type { EdgeProblemCode } from "../problem.ts";

/** What a route's middleware says about the route; the OpenAPI document is made from these and nothing else. */
export interface RouteDescription {
  summary?: string;
  /** Alternatives, as given to `auth()`. */
  auth?: readonly string[];
  body?: { schema: z.ZodType; types: readonly string[]; maxBytes: number };
  rawBody?: { maxBytes: number };
  query?: z.ZodType;
  param?: z.ZodType;
  idempotencyKey?: boolean;
  /** Answers by status: a schema of the JSON, or a description where there is none. */
  returns?: Readonly<Record<number, z.ZodType | string>>;
  problems?: readonly EdgeProblemCode[];
}

const descriptions = new WeakMap<object, RouteDescription>();

/** Attaches a description to a middleware and returns the middleware. */
// deno-lint-ignore ban-types
export function describeRoute<Middleware extends Function>(
  middleware: Middleware,
  description: RouteDescription,
): Middleware {
  descriptions.set(middleware, description);
  return middleware;
}

/** What a handler or middleware says about its route. */
// deno-lint-ignore ban-types
export function descriptionOf(handler: Function): RouteDescription {
  return descriptions.get(handler) ?? {};
}
