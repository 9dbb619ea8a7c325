/** Meta's error codes: HTTP status and title (Meta, Cloud API: "Error codes"). */
export const GRAPH_ERRORS: Record<number, readonly [status: number, title: string]> = {
  0: [401, "AuthException"],
  1: [400, "API Unknown"],
  2: [503, "API Service"],
  3: [500, "API Method"],
  4: [429, "API Too Many Calls"],
  10: [403, "Permission Denied"],
  33: [400, "Parameter value is not valid"],
  100: [400, "Invalid parameter"],
  190: [401, "Access token has expired"],
  200: [403, "API Permission"],
  299: [403, "API Permission"],
  368: [403, "Temporarily blocked for policies violations"],
  80007: [429, "Rate limit issues"],
  130403: [403, "User is blocked by the business"],
  130429: [429, "Rate limit hit"],
  130472: [400, "User's number is part of an experiment"],
  130497: [403, "Business account is restricted from messaging users in this country"],
  131000: [500, "Something went wrong"],
  131005: [403, "Access denied"],
  131008: [400, "Required parameter is missing"],
  131009: [400, "Parameter value is not valid"],
  131016: [500, "Service unavailable"],
  131021: [400, "Recipient cannot be sender"],
  131026: [400, "Message undeliverable"],
  131030: [400, "Recipient phone number not in allowed list"],
  131031: [403, "Account has been locked"],
  131037: [400, "Display name approval needed"],
  131042: [400, "Business eligibility payment issue"],
  131045: [500, "Incorrect certificate"],
  131047: [400, "Re-engagement message"],
  131048: [429, "Spam rate limit hit"],
  131049: [400, "This message was not delivered to maintain healthy ecosystem engagement"],
  131050: [400, "User has stopped marketing messages"],
  131051: [400, "Unsupported message type"],
  131052: [400, "Media download error"],
  131053: [400, "Media upload error"],
  131056: [429, "(Business Account, Consumer Account) pair rate limit hit"],
  131057: [500, "Account in maintenance mode"],
  131062: [400, "Business-scoped user id is not allowed for this message"],
  131064: [400, "Business account is not eligible"],
  132000: [400, "Template param count mismatch"],
  132001: [404, "Template does not exist"],
  132005: [400, "Template hydrated text too long"],
  132007: [400, "Template format character policy violated"],
  132008: [400, "Template parameter is missing"],
  132012: [400, "Template parameter format mismatch"],
  132015: [400, "Template is paused"],
  132016: [400, "Template is disabled"],
  132018: [400, "Template parameter value is not valid"],
  132068: [400, "Flow is blocked"],
  132069: [400, "Flow is throttled"],
  133000: [500, "Incomplete deregistration"],
  133004: [503, "Server temporarily unavailable"],
  133005: [400, "Two step verification PIN mismatch"],
  133006: [400, "Phone number re-verification needed"],
  133008: [400, "Too many two step verification PIN guesses"],
  133009: [400, "Two step verification PIN guessed too fast"],
  133010: [400, "Phone number not registered"],
  133015: [400, "Please wait a few minutes before attempting to register this phone number"],
  133016: [400, "Account register deregister rate limit exceeded"],
  134101: [400, "Template is syncing"],
  135000: [400, "Generic user error"],
};

/** What Graph answers with an error, beside its code. */
export interface GraphErrorParts {
  details?: string;
  /** Seconds. */
  retryAfter?: number;
}

/** Graph's answer for a code: with its HTTP status, and with details where WhatsApp itself refuses. */
export function graphError(code: number, { details, retryAfter }: GraphErrorParts = {}): Response {
  const [status, title] = GRAPH_ERRORS[code] ?? [400, "Unknown error"];
  const error = {
    message: `(#${code}) ${title}`,
    type: "OAuthException",
    code,
    ...(code >= 1000 && { error_data: { messaging_product: "whatsapp", details: details ?? `${title}.` } }),
    ...(code === 190 && { error_subcode: 463 }),
    ...(code === 2 && { is_transient: true }),
    fbtrace_id: "AbCdEfGhIjKlMnOpQrStUv1",
  };
  const headers: HeadersInit = retryAfter === undefined ? {} : { "retry-after": String(retryAfter) };
  return Response.json({ error }, { status, headers });
}

/** The element of a failed status' `errors`. */
export function statusError(code: number): Record<string, unknown> {
  const title = GRAPH_ERRORS[code]?.[1] ?? "Unknown error";
  const href = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/";
  return { code, title, message: title, error_data: { details: `${title}.` }, href };
}
