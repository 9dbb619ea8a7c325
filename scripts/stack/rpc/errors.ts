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
    const { details = null, hint = null, headers = {} } = this.more;
    const body = JSON.stringify({ code: this.code, details, hint, message: this.message });
    const answer = new Response(isBodyless(this.status) ? null : body, {
      status: this.status,
      headers: { "content-type": "application/json; charset=utf-8", "proxy-status": `PostgREST; error=${this.code}` },
    });
    if (this.status === 401) answer.headers.set("www-authenticate", "Bearer");
    if (this.status === 503) answer.headers.set("retry-after", "1");
    for (const [name, value] of Object.entries(headers)) answer.headers.set(name, value);
    return answer;
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

// PostgREST, Errors: "HTTP Status Codes". The longest prefix of a SQLSTATE decides; none means 400.
const SQLSTATES: Record<number, string> = {
  400: "P0001",
  403: "0L 0P 28 42501",
  404: "42883 42P01",
  405: "25006",
  409: "23503 23505",
  500: "09 21000 25 2D 38 39 3B 40 42P17 53400 54 55 57 58 F0 HV P0 XX",
  503: "08 53 57P01",
};

const STATUS_BY_PREFIX = Object.entries(SQLSTATES)
  .flatMap(([status, prefixes]) => prefixes.split(" ").map((prefix) => ({ prefix, status: Number(status) })))
  .sort((one, other) => other.prefix.length - one.prefix.length);

/** Whether an error is the database's or our own word, so that its connection is still sound. */
export function isAnswer(thrown: unknown): thrown is postgres.PostgresError | ApiError {
  return thrown instanceof postgres.PostgresError || thrown instanceof ApiError;
}

/** What a caller with this role is told about anything thrown on the way. */
export function toApiError(thrown: unknown, role = "anon"): ApiError {
  if (!isAnswer(thrown)) return fault(thrown);
  if (thrown instanceof ApiError) return thrown;
  const { code, message, detail, hint } = thrown;
  if (code === "PGRST") return raised(message, detail);
  return new ApiError(statusOf(code, role), code, message, { details: detail, hint });
}

function fault(thrown: unknown): ApiError {
  const isConnection = typeof (thrown as { code?: unknown })?.code === "string";
  if (!isConnection) return new ApiError(500, "PGRSTX00", String(thrown));
  return new ApiError(503, "PGRST001", "The connection to the database was lost", { details: String(thrown) });
}

function statusOf(code: string, role: string): number {
  if (code === "42501" && role === "anon") return 401;
  if (code.startsWith("PT")) return isStatus(Number(code.slice(2))) ? Number(code.slice(2)) : 500;
  return STATUS_BY_PREFIX.find(({ prefix }) => code.startsWith(prefix))?.status ?? 400;
}

/** PostgREST, Errors: "Add HTTP Headers with RAISE"; it is as strict: details and hint are texts, and so is each header. */
function raised(message: string, detail = ""): ApiError {
  try {
    const { code, message: text, details, hint } = JSON.parse(message);
    const { status, headers } = JSON.parse(detail);
    const texts = [code, text, details ?? "", hint ?? "", ...Object.values(headers)];
    if (!isStatus(status) || !texts.every((value) => typeof value === "string")) throw new TypeError();
    return new ApiError(status, code, text, { details, hint, headers: Object.fromEntries(new Headers(headers)) });
  } catch {
    return new ApiError(500, "PGRST121", "Could not read the JSON of a RAISE SQLSTATE 'PGRST'", {
      details: `MESSAGE: ${message}; DETAIL: ${detail}`,
      hint:
        "MESSAGE takes 'code' and 'message', and perhaps 'details' and 'hint'; DETAIL takes 'status' and 'headers'.",
    });
  }
}
