import type { MiddlewareHandler } from "hono";
import { MAX_REQUEST_BYTES } from "shared/analytics/limits.ts";
import { describeRoute } from "shared/http/route_description.ts";
import type * as z from "zod";

/** Says what a route takes and answers, for its OpenAPI document: does nothing at run time. */
export function acceptsCalls(schema: z.ZodType, answer: z.ZodType, summary: string): MiddlewareHandler {
  return describeRoute<MiddlewareHandler>(function acceptsCalls(_c, next) {
    return next();
  }, {
    summary,
    auth: ["publishable", "user"],
    body: { schema, types: ["application/json", "text/plain"], maxBytes: MAX_REQUEST_BYTES },
    returns: { 200: answer, 429: "More calls than the key may send; Retry-After says how many seconds to wait" },
    problems: [
      "api_key_invalid",
      "credentials_missing",
      "invalid_body_encoding",
      "invalid_json",
      "payload_too_large",
      "token_invalid",
      "unsupported_content_encoding",
    ],
  });
}
