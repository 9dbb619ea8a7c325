import type { MiddlewareHandler } from "hono";
import { Problem } from "../problem.ts";
import { describeRoute } from "./route_description.ts";

/** What `idempotencyKey()` adds to the context. */
export interface IdempotencyKeyEnv {
  Variables: { idempotencyKey: string };
}

/** A structured-field string (RFC 8941, 3.3.3): quoted, with `\"` and `\\` as the only escapes. */
const QUOTED = /^"((?:[^"\\]|\\["\\])*)"$/;
/** What other providers' clients send. No comma: a header that was sent twice arrives joined by one. */
const UNQUOTED = /^[^",;\\]+$/;
const VISIBLE_ASCII = /^[!-~]{1,255}$/;

/** Requires the `Idempotency-Key` header; the handler finds the key in `c.var.idempotencyKey`. */
export function idempotencyKey(): MiddlewareHandler<IdempotencyKeyEnv> {
  return describeRoute<MiddlewareHandler<IdempotencyKeyEnv>>(async function idempotencyKey(c, next) {
    c.set("idempotencyKey", parseIdempotencyKey(c.req.header("idempotency-key")));
    await next();
  }, { idempotencyKey: true, problems: ["idempotency_key_missing", "idempotency_key_invalid"] });
}

/**
 * Reads an `Idempotency-Key`; quoted or not, it is the same key.
 *
 * @throws idempotency_key_missing, idempotency_key_invalid (400)
 * @see draft-ietf-httpapi-idempotency-key-header-07
 */
export function parseIdempotencyKey(header: string | undefined): string {
  if (header === undefined) throw new Problem("idempotency_key_missing");
  const quoted = QUOTED.exec(header)?.[1]?.replace(/\\(.)/g, "$1");
  const key = quoted ?? UNQUOTED.exec(header)?.[0] ?? "";
  if (VISIBLE_ASCII.test(key)) return key;
  throw new Problem("idempotency_key_invalid", { detail: "Send one key of 1 to 255 visible ASCII characters." });
}
