import type { Context } from "hono";
import { answerError } from "shared/http/answer_problem.ts";
import { Problem } from "shared/problem.ts";
import type { Failure } from "./schema.ts";

/** Answers an error; OpenFeature's clients believe one of a single flag only with its key. */
export function answerFailure(
  c: Context,
  status: number,
  errorCode: Failure["errorCode"],
  errorDetails?: string,
  headers?: Record<string, string>,
): Response {
  const key = c.req.param("key");
  const failure: Failure = { ...(key === undefined ? {} : { key }), errorCode, errorDetails };
  return c.json(failure, status as 400, headers);
}

/** A handler whose refusals and failures are answered in OFREP's words too; the log line has them as always. */
export function inOfrepWords(handler: (c: Context) => Promise<Response>): (c: Context) => Promise<Response> {
  return async function inOfrepWords(c) {
    try {
      return await handler(c);
    } catch (error) {
      const { status, headers } = answerError(error as Error, c);
      const retryAfter = headers.get("retry-after");
      const title = error instanceof Problem ? error.title : undefined;
      return answerFailure(c, status, "GENERAL", title, retryAfter === null ? {} : { "retry-after": retryAfter });
    }
  };
}
