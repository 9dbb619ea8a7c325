import type { Bytes } from "../bytes.ts";
import type { MiddlewareHandler } from "hono";
import { readBody } from "./read_body.ts";
import { describeRoute } from "./route_description.ts";

/** 1 MiB, more than most providers send. */
const DEFAULT_MAX_BYTES = 1024 * 1024;

/** What `rawBody()` adds to the context. */
export interface RawBodyEnv {
  Variables: { rawBody: Bytes };
}

/** Puts the body's bytes, exactly as they were sent, into `c.var.rawBody`: what a signature is computed over. */
export function rawBody({ maxBytes = DEFAULT_MAX_BYTES } = {}): MiddlewareHandler<RawBodyEnv> {
  return describeRoute<MiddlewareHandler<RawBodyEnv>>(async function rawBody(c, next) {
    c.set("rawBody", await readBody(c.req.raw, maxBytes));
    await next();
  }, { rawBody: { maxBytes }, problems: ["payload_too_large"] });
}
