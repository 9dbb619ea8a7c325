import { type EdgeProblemCode, Problem, type ProblemParts } from "../problem.ts";

/** Answer headers that SQL sets for the client, by `response.headers` or in a refusal. */
export const FORWARDED_HEADERS = [
  "idempotent-replayed",
  "location",
  "ratelimit",
  "ratelimit-policy",
  "ratelimit-limit",
  "ratelimit-remaining",
  "ratelimit-reset",
  "retry-after",
] as const;

/** Our own codes are snake_case words; Postgres' and PostgREST's are capitals and digits. */
const OWN_CODE = /^[a-z][a-z0-9_]*$/;
/** Gateways answer these when what is behind them is missing or busy (520-530: Cloudflare). */
const GATEWAY_BUSY = /^(?:429|50[234]|52\d|530)$/;

/** SQLSTATE (by prefix) and PostgREST codes -> what the client hears. Postgres manual, appendix A; PostgREST, Errors. */
const NATIVE_CODES: readonly (readonly [code: RegExp, problem: EdgeProblemCode])[] = [
  [/^(?:PGRST00[0-3]|08|53|57P0|40001|40P01|55P03)/, "service_unavailable"],
  [/^57014/, "database_timeout"],
  [/^PGRST30[0-3]/, "token_invalid"],
  [/^42501/, "forbidden"],
  [/^(?:23505|23503|23P01)/, "conflict"],
  [/^(?:2200[1378]|22021|22P0[25]|23502|23514)/, "value_invalid"],
];

/** PostgREST's error body; `private.idempotent` stores refusals in the same shape. */
interface ErrorBody {
  code?: unknown;
  message?: unknown;
  details?: unknown;
  hint?: unknown;
}

/**
 * Turns an error answer of PostgREST into the problem that the client gets.
 *
 * A refusal by `private.refuse` (and a stored one) keeps code, status, title, details and headers. Anything else is
 * Postgres or PostgREST speaking: it is translated, and its own words reach the log only.
 *
 * @param options.ownKey - the call was made with our secret key, so that a lack of rights is our fault, not the client's
 */
export function problemOf(response: Response, text: string, options: { ownKey?: boolean } = {}): Problem {
  const body: ErrorBody = parseObject(text) ?? {};
  if (typeof body.code === "string" && OWN_CODE.test(body.code)) return refusal(body.code, response, body);
  const native = nativeProblem(response.status, body);
  const blamesUs = options.ownKey && (native === "token_invalid" || native === "forbidden");
  const problem = blamesUs ? "not_configured" : native;
  return new Problem(problem, { headers: retryHeaders(problem, response), cause: describe(response.status, body) });
}

/** The headers of an answer that are meant for our client. */
export function forwardedHeaders(response: Response): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of FORWARDED_HEADERS) {
    const value = response.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  return headers;
}

function nativeProblem(status: number, body: ErrorBody): EdgeProblemCode {
  if (typeof body.code === "string") {
    const code = body.code;
    return NATIVE_CODES.find(([pattern]) => pattern.test(code))?.[1] ?? "internal_error";
  }
  if (status === 401) return "token_invalid";
  return GATEWAY_BUSY.test(String(status)) ? "service_unavailable" : "internal_error";
}

function refusal(code: string, response: Response, { message, details, hint }: ErrorBody): Problem {
  const parts: ProblemParts & { status: number; title: string } = {
    status: response.status,
    title: typeof message === "string" ? message : code,
    headers: forwardedHeaders(response),
  };
  if (typeof hint === "string") parts.detail = hint;
  if (typeof details === "string") parts.details = parseObject(details) ?? details;
  return new Problem(code, parts);
}

function retryHeaders(problem: EdgeProblemCode, response: Response): Record<string, string> {
  if (problem !== "service_unavailable") return {};
  return { "retry-after": response.headers.get("retry-after") ?? "2" };
}

/** For the log: code and constraint name, never Postgres' message, which quotes values. */
function describe(status: number, body: ErrorBody): string {
  const constraint = /constraint "(\w+)"/.exec(String(body.message ?? ""))?.[1];
  return ["database", String(body.code ?? "without code"), constraint, `(${status})`].filter(Boolean).join(" ");
}

/** A JSON object, or undefined: gateways answer HTML. PostgREST carries `details` as text, which may be JSON too. */
function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : undefined;
  } catch {
    return undefined;
  }
}
