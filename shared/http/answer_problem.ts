import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { Problem } from "../problem.ts";

/** Answers a problem as `application/problem+json` (RFC 9457) and leaves its code and cause for the log line. */
export function answerProblem(c: Context, problem: Problem): Response {
  const trace = c.get("trace");
  trace.code = problem.code;
  trace.cause = describe(problem.cause);
  const { detail, details, errors, headers } = problem.parts;
  return c.json(
    {
      type: `/problems/${problem.code}`,
      title: problem.title,
      status: problem.status,
      detail,
      request_id: trace.requestId,
      errors,
      details,
    },
    problem.status as ContentfulStatusCode,
    { ...headers, "content-type": "application/problem+json" },
  );
}

/** The app's `onError`: a thrown problem is answered as it is, anything else as `internal_error`, without internals. */
export function answerError(error: Error, c: Context): Response {
  return answerProblem(c, error instanceof Problem ? error : new Problem("internal_error", { cause: error }));
}

/** A cause in one line: what it is, and where our code was. */
function describe(cause: unknown): string | undefined {
  if (cause === undefined) return undefined;
  if (!(cause instanceof Error)) return String(cause);
  const frame = /(?:file|https):.*?([\w.-]+:\d+):\d+/.exec(cause.stack ?? "")?.[1];
  return `${cause.name}: ${cause.message}${frame ? ` (${frame})` : ""}`;
}
