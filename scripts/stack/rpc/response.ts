import { ApiError, isBodyless, isStatus } from "./errors.ts";
import { JSON_TYPE, OBJECT_TYPE, type Preferences } from "./preferences.ts";
import type { Result } from "./transaction.ts";

/** Shapes the answer to a call that was committed. */
export function toResponse(
  method: string,
  isVoid: boolean,
  result: Result,
  offset: number,
  { isSingular, applied }: Preferences,
): Response {
  const { rowCount, totalCount } = result;
  const range = `${rowCount ? `${offset}-${offset + rowCount - 1}` : "*"}/${totalCount ?? "*"}`;
  if (totalCount !== undefined && offset > totalCount) {
    throw new ApiError(416, "PGRST103", "Requested range not satisfiable", {
      details: `An offset of ${offset} was requested, but there are only ${totalCount} rows.`,
      headers: { "content-range": range },
    });
  }
  const status = statusOf(result.status) ?? (isVoid ? 204 : rowCount < (totalCount ?? 0) ? 206 : 200);
  const headers = new Headers({ "content-range": range });
  if (applied) headers.set("preference-applied", applied);
  const hasBody = !isVoid && !isBodyless(status);
  if (hasBody) {
    headers.set("content-type", `${isSingular ? OBJECT_TYPE : JSON_TYPE}; charset=utf-8`);
    headers.set("content-length", String(result.body.length));
  }
  setHeaders(headers, result.headers);
  return new Response(hasBody && method !== "HEAD" ? result.body as BodyInit : null, { status, headers });
}

/** PostgREST, Transactions: "Response Status Code". */
function statusOf(setting?: string): number | undefined {
  if (setting === undefined) return;
  const status = Number(setting);
  if (!isStatus(status)) throw new ApiError(500, "PGRST112", "response.status must be a status code");
  return status;
}

/** PostgREST, Transactions: "Response Headers"; a name given there replaces ours, and may be given more than once. */
function setHeaders(headers: Headers, setting = "[]"): void {
  try {
    const pairs = (JSON.parse(setting) as Record<string, unknown>[]).map(onlyPair);
    for (const [name] of pairs) headers.delete(name);
    for (const [name, value] of pairs) headers.append(name, value);
  } catch {
    throw new ApiError(500, "PGRST111", "response.headers must be a JSON array of objects with one key and a text");
  }
}

function onlyPair(item: Record<string, unknown>): [string, string] {
  const [[name, value] = [], ...others] = Object.entries(item);
  if (!name || typeof value !== "string" || others.length) throw new TypeError();
  return [name, value];
}
