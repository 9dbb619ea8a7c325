import type { MiddlewareHandler } from "hono";
import type { EvaluationContext } from "shared/flags/attribute.ts";
import { parseJson } from "shared/http/parse_json.ts";
import { readBody } from "shared/http/read_body.ts";
import { describeRoute } from "shared/http/route_description.ts";
import { Problem } from "shared/problem.ts";
import { answerFailure } from "./ofrep_failure.ts";
import { EvaluationRequest } from "./schema.ts";

/** What `ofrepContext()` adds to the context. */
export interface OfrepEnv {
  Variables: { evaluationContext: EvaluationContext };
}

const MAX_BYTES = 64 * 1024;

/** Reads the evaluation context; what is wrong with it is answered in OFREP's own words. */
export function ofrepContext(): MiddlewareHandler<OfrepEnv> {
  return describeRoute<MiddlewareHandler<OfrepEnv>>(async function ofrepContext(c, next) {
    const bytes = await readBody(c.req.raw, MAX_BYTES);
    try {
      const { success, data } = EvaluationRequest.safeParse(parseJson(bytes, { maxDepth: 64 }));
      if (!success) return answerFailure(c, 400, "INVALID_CONTEXT");
      c.set("evaluationContext", data.context);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return answerFailure(c, 400, "PARSE_ERROR", error.title);
    }
    await next();
  }, {
    body: { schema: EvaluationRequest, types: ["application/json"], maxBytes: MAX_BYTES },
    problems: ["payload_too_large"],
  });
}
