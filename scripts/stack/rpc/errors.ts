import postgres from "postgres";

/** A refusal in PostgREST's shape: a status, perhaps headers, and the body `{ code, details, hint, message }`. */
export class ApiError extends Error {
  override name = "ApiError";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly more: { details?: string | null; hint?: string | null; headers?: Record<string, string> } = {},
  ) {
    super(message);
  }

  toResponse(): Response {
    const { details = null, hint = null, headers } = this.more;
    const body = JSON.stringify({ code: this.code, details, hint, message: this.message });
    return new Response(isBodyless(this.status) ? null : body, {
      status: this.status,
      headers: {
        "content-type": "application/json; charset=utf-8",
        "proxy-status": `PostgREST; error=${this.code}`,
        ...(this.status === 401 && { "www-authenticate": "Bearer" }),
        ...(this.status === 503 && { "retry-after": "1" }),
        ...headers,
      },
    });
  }
}

/** Whether HTTP forbids a body beside this status. */
export function isBodyless(status: number): boolean {
  return [204, 205, 304].includes(status);
}

/** Whether a status can be sent as a final answer. */
export function isStatus(status: unknown): status is number {
  return Number.isInteger(status) && Number(status) >= 200 && Number(status) <= 599;
}

// PostgREST, Errors: "HTTP Status Codes"; the first prefix that fits decides, and nothing fitting means 400.
const STATUS_BY_SQLSTATE: [prefix: string, status: number][] = [
  ["08", 503],
  ["09", 500],
  ["0L", 403],
  ["0P", 403],
  ["21000", 500],
  ["23503", 409],
  ["23505", 409],
  ["25006", 405],
  ["25", 500],
  ["28", 403],
  ["2D", 500],
  ["38", 500],
  ["39", 500],
  ["3B", 500],
  ["40", 500],
  ["42501", 403],
  ["42883", 404],
  ["42P01", 404],
  ["42P17", 500],
  ["53400", 500],
  ["53", 503],
  ["54", 500],
  ["55", 500],
  ["57P01", 503],
  ["57", 500],
  ["58", 500],
  ["F0", 500],
  ["HV", 500],
  ["P0001", 400],
  ["P0", 500],
  ["XX", 500],
];

/** What a caller with this role is told about anything thrown on the way. */
export function toApiError(thrown: unknown, role = "anon"): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (!(thrown instanceof postgres.PostgresError)) {
    return new ApiError(503, "PGRST001", "The connection to the database was lost", { details: String(thrown) });
  }
  const { code, message, detail, hint } = thrown;
  if (code === "PGRST") return raised(message, detail);
  return new ApiError(statusOf(code, role), code, message, { details: detail, hint });
}

function statusOf(code: string, role: string): number {
  if (code === "42501" && role === "anon") return 401;
  if (code.startsWith("PT")) return isStatus(Number(code.slice(2))) ? Number(code.slice(2)) : 500;
  return STATUS_BY_SQLSTATE.find(([prefix]) => code.startsWith(prefix))?.[1] ?? 400;
}

/** PostgREST, Errors: "Add HTTP Headers with RAISE". */
function raised(message: string, detail?: string): ApiError {
  const body = parseObject(message);
  if (typeof body?.code !== "string" || typeof body.message !== "string") {
    return unreadable("MESSAGE", "a JSON object with the strings 'code' and 'message', and perhaps 'details' and 'hint'");
  }
  const answer = parseObject(detail);
  if (!isStatus(answer?.status) || !isHeaders(answer.headers)) {
    return unreadable("DETAIL", "a JSON object with the number 'status' and the object 'headers'");
  }
  const { code, details, hint } = body as { code: string; details?: string; hint?: string };
  return new ApiError(answer.status, code, body.message, { details, hint, headers: answer.headers });
}

function unreadable(option: string, wanted: string): ApiError {
  return new ApiError(500, "PGRST121", `The ${option} of a RAISE SQLSTATE 'PGRST' could not be read`, {
    hint: `${option} must be ${wanted}`,
  });
}

function isHeaders(value: unknown): value is Record<string, string> {
  return typeof value === "object" && value !== null &&
    Object.values(value).every((header) => typeof header === "string");
}

function parseObject(json = ""): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(json);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
