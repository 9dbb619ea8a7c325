/** What the edge itself can answer: code -> [status, title]. SQL's codes stand in the table of `private.refuse`. */
export const EDGE_PROBLEMS = {
  body_too_deep: [400, "The body is nested too deeply"],
  idempotency_key_invalid: [400, "The Idempotency-Key header is not usable"],
  idempotency_key_missing: [400, "The Idempotency-Key header is missing"],
  invalid_body_encoding: [400, "The body cannot be decoded"],
  invalid_json: [400, "The body is not JSON"],
  invalid_text: [400, "Text contains a character that cannot be stored"],
  credentials_missing: [401, "Credentials are missing"],
  api_key_invalid: [401, "The API key is not accepted"],
  signature_invalid: [401, "The signature is not accepted"],
  token_invalid: [401, "The access token is not accepted"],
  forbidden: [403, "These credentials may not do this"],
  not_found: [404, "There is nothing here"],
  method_not_allowed: [405, "This method is not allowed here"],
  conflict: [409, "The request conflicts with what is stored"],
  payload_too_large: [413, "The body is too large"],
  unsupported_media_type: [415, "This media type is not supported here"],
  unsupported_content_encoding: [415, "This content encoding is not supported"],
  payment_method_unavailable: [422, "This payment method is not available"],
  validation_failed: [422, "The request does not have the expected shape"],
  value_invalid: [422, "A value cannot be stored"],
  rate_limited: [429, "Too many requests"],
  internal_error: [500, "Something went wrong on our side"],
  outbound_not_allowed: [500, "This service may not call that address"],
  outbound_failed: [502, "Another service failed"],
  outbound_too_large: [502, "Another service answered too much"],
  not_configured: [503, "This service is not configured"],
  service_unavailable: [503, "The service is busy or starting, try again"],
  database_timeout: [504, "The database took too long"],
  outbound_timeout: [504, "Another service took too long"],
} as const satisfies Record<string, readonly [status: number, title: string]>;

/** A code of {@link EDGE_PROBLEMS}. */
export type EdgeProblemCode = keyof typeof EDGE_PROBLEMS;

/** Where in the request something is wrong: a JSON pointer (RFC 6901) and why. */
export interface PointedError {
  pointer: string;
  detail: string;
}

/** The variable parts of a problem. `details` is data of the refusing function; `cause` reaches the log, never the client. */
export interface ProblemParts {
  detail?: string;
  details?: unknown;
  errors?: readonly PointedError[];
  headers?: Record<string, string>;
  cause?: unknown;
}

/** A refusal that a client understands: throw it anywhere, the app answers it as RFC 9457 problem+json. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly parts: ProblemParts;

  constructor(code: EdgeProblemCode, parts?: ProblemParts);
  constructor(code: string, parts: ProblemParts & { status: number; title: string });
  constructor(readonly code: string, parts: ProblemParts & { status?: number; title?: string } = {}) {
    super(code, { cause: parts.cause });
    const [status, title] = EDGE_PROBLEMS[code as EdgeProblemCode] ?? EDGE_PROBLEMS.internal_error;
    this.name = "Problem";
    this.status = parts.status ?? status;
    this.title = parts.title ?? title;
    this.parts = parts;
  }
}
