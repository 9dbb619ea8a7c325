import type { MiddlewareHandler } from "hono";
import type * as z from "zod";
import { inflate } from "./inflate.ts";
import { isGzip, requireMediaType } from "./media_type.ts";
import { parseJson } from "./parse_json.ts";
import { readBody } from "./read_body.ts";
import { describeRoute } from "./route_description.ts";
import { validate } from "./validation.ts";

/** What a route may decide about its body. */
export interface BodyOptions {
  /** Most bytes, as sent and inflated; by default 256 KiB. */
  maxBytes?: number;
  /** Deepest nesting of arrays and objects; by default 64. */
  maxDepth?: number;
  /** Accepted media types besides `application/*+json`; by default `application/json`. */
  types?: readonly string[];
}

type JsonInput<Schema extends z.ZodType> = { in: { json: z.input<Schema> }; out: { json: z.output<Schema> } };

/** Accepts a JSON body (gzip too) that fits the schema; the handler finds it in `c.req.valid("json")`. */
export function body<Schema extends z.ZodType>(
  schema: Schema,
  { maxBytes = 256 * 1024, maxDepth = 64, types = ["application/json"] }: BodyOptions = {},
  // deno-lint-ignore no-explicit-any -- Hono infers a route's environment from its middleware; any adds nothing to it
): MiddlewareHandler<any, string, JsonInput<Schema>> {
  return describeRoute(async function body(c, next) {
    const { headers } = c.req.raw;
    requireMediaType(headers, types);
    const gzipped = isGzip(headers);
    const sent = await readBody(c.req.raw, maxBytes);
    const bytes = gzipped ? await inflate(sent, "gzip", maxBytes) : sent;
    c.req.addValidatedData("json", validate(schema, parseJson(bytes, { maxDepth })) as object);
    await next();
  }, { body: { schema, types, maxBytes }, problems: BODY_PROBLEMS });
}

const BODY_PROBLEMS = [
  "body_too_deep",
  "invalid_body_encoding",
  "invalid_json",
  "invalid_text",
  "payload_too_large",
  "unsupported_content_encoding",
  "unsupported_media_type",
  "validation_failed",
] as const;
