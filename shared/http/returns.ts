import type { MiddlewareHandler } from "hono";
import type * as z from "zod";
import { describeRoute } from "./route_description.ts";

/**
 * Says what a route answers, for its OpenAPI document: does nothing at run time.
 *
 * @param answers - by status: the schema of the JSON, or a description where there is none
 */
export function returns(
  answers: Readonly<Record<number, z.ZodType | string>>,
  { summary }: { summary?: string } = {},
  // deno-lint-ignore no-explicit-any -- as in body()
): MiddlewareHandler<any> {
  return describeRoute(function returns(_c, next) {
    return next();
  }, { returns: answers, ...(summary === undefined ? {} : { summary }) });
}
