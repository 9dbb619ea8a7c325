import { ApiError } from "./errors.ts";

/** What a caller hands to a function: names in a JSON object, names with texts, or one nameless body. */
export type Arguments =
  /** `json` is the text as it came, so that Postgres itself reads every number and string. */
  | { kind: "json"; names: string[]; json: string; isList: boolean }
  | { kind: "texts"; names: string[]; texts: Map<string, string> }
  | { kind: "body"; names: string[]; body: string | Uint8Array; type: "text" | "bytea" };

/**
 * Reads the body of a POST (PostgREST, Functions as RPC: "Calling with POST").
 *
 * @throws ApiError 415 PGRST107 for another media type, 400 PGRST102 for a body that is not what it claims to be
 */
export async function readBody(request: Request): Promise<Arguments> {
  const mediaType = (request.headers.get("content-type") || "application/json").toLowerCase().split(";", 1)[0];
  const bytes = new Uint8Array(await request.arrayBuffer());
  switch (mediaType) {
    case "application/json":
      return fromJson(decode(bytes) || "{}");
    case "application/x-www-form-urlencoded":
      return fromTexts([...new URLSearchParams(decode(bytes))]);
    case "text/plain":
      return { kind: "body", names: [], body: decode(bytes), type: "text" };
    case "application/octet-stream":
      return { kind: "body", names: [], body: bytes, type: "bytea" };
  }
  throw new ApiError(415, "PGRST107", `Content-Type not acceptable: ${mediaType}`);
}

/** Takes arguments from a query string or a form; the last of a repeated name counts. */
export function fromTexts(pairs: [string, string][]): Arguments {
  const texts = new Map(pairs);
  return { kind: "texts", names: [...texts.keys()], texts };
}

/** Of a list PostgREST takes the first object; anything else names no arguments. */
function fromJson(json: string): Arguments {
  const value = parse(json);
  const isList = Array.isArray(value);
  const object = isList ? value[0] : value;
  const names = typeof object === "object" && object !== null ? Object.keys(object) : [];
  return { kind: "json", names, json, isList };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new ApiError(400, "PGRST102", "Empty or invalid json");
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ApiError(400, "PGRST102", "The body is not UTF-8");
  }
}
