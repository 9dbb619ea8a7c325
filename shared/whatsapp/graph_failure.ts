import type { NeverAnswered, NeverSent } from "../fetch_failure.ts";
import { retryAfterSeconds } from "../retry_after.ts";
import { type GraphError, parseGraphError } from "./graph_error.ts";

/** The call certainly never reached Meta: making it again repeats nothing. */
export type NotSent = { kind: "not_sent"; reason: NeverSent["reason"] | "aborted" | "invalid_request" };

/** The call may have reached Meta and been carried out; what Meta said of it stands beside the reason. */
export type Unknown = Partial<Omit<GraphError, "kind">> & {
  kind: "unknown";
  reason: NeverAnswered["reason"] | "unreadable_answer" | "server_error" | "no_message_id";
};

/** Why a call has no good answer. */
export type GraphFailure = GraphError | NotSent | Unknown;

/**
 * Errors that Meta answers with a 5xx although they are refusals: a missing permission, a number that is not
 * registered. Any other 5xx may stand for a call that was carried out.
 *
 * @see Meta, Cloud API: "Error codes"
 */
const REFUSED_WITH_5XX = new Set([3, 131045, 133000]);

/** What an answer tells that is not the good one. Only Graph's own words are definite. */
export function failureOfAnswer({ status, headers }: Response, body: unknown): GraphError | Unknown {
  const retryAfter = retryAfterSeconds(headers.get("retry-after"), new Date());
  const error = parseGraphError(status, body, retryAfter);
  if (error && isRefusal(error)) return error;
  const reason = status >= 500 ? "server_error" : "unreadable_answer";
  return { http_status: status, retry_after: retryAfter, ...error, kind: "unknown", reason };
}

function isRefusal({ http_status, code }: GraphError): boolean {
  return http_status >= 500 ? REFUSED_WITH_5XX.has(code) : http_status >= 400;
}
