import * as z from "zod";
import { redact } from "../log.ts";
import { GraphInteger } from "./graph_integer.ts";

/** Why Meta refused a call, in its own words without what is personal in them. */
export type GraphError = {
  kind: "graph_error";
  http_status: number;
  code: number;
  subcode: number | null;
  title: string | null;
  details: string | null;
  /** What Meta's support asks for. */
  fbtrace_id: string | null;
  /** Meta says that the same call may succeed later. */
  is_transient: boolean;
  /** Seconds that Meta asks to wait. */
  retry_after: number | null;
};

const MAX_TEXT = 500;

const Text = z.string().min(1).nullable().catch(null);
/** Only the code is certain to be there. */
const GraphErrorAnswer = z.object({
  error: z.object({
    code: GraphInteger,
    error_subcode: GraphInteger.nullable().catch(null),
    message: Text,
    error_data: z.object({ details: Text }).catch({ details: null }),
    error_user_msg: Text,
    fbtrace_id: Text,
    is_transient: z.boolean().catch(false),
  }),
});

/**
 * Reads a Graph error out of an answer's JSON.
 *
 * @returns undefined when it is none
 * @see Meta, Graph API: "Handling errors"
 */
export function parseGraphError(httpStatus: number, body: unknown, retryAfter: number | null): GraphError | undefined {
  const error = GraphErrorAnswer.safeParse(body).data?.error;
  return error && {
    kind: "graph_error",
    http_status: httpStatus,
    code: error.code,
    subcode: error.error_subcode,
    title: impersonal(error.message?.replace(/^\(#\d+\) */, "")),
    details: impersonal(error.error_data.details ?? error.error_user_msg),
    fbtrace_id: error.fbtrace_id?.slice(0, MAX_TEXT) ?? null,
    is_transient: error.is_transient,
    retry_after: retryAfter,
  };
}

/** Redacted before it is cut: half a phone number is still personal. */
function impersonal(text: string | null | undefined): string | null {
  return text ? redact(text).slice(0, MAX_TEXT) : null;
}
