import { ApiError } from "./errors.ts";

/**
 * What a caller hands to a function: a JSON object of arguments, arguments as texts, or a body without names.
 * A body stays as it came, so that Postgres itself reads every number and text in it.
 */
export type Arguments =
  | { kind: "json"; names: string[]; body: string; isList: boolean }
  | { kind: "texts"; names: string[]; texts: Map<string, string> }
  | { kind: "text" | "bytea"; names: string[]; body: string | Uint8Array };

/**
 * Reads the body of a POST (PostgREST, Functions as RPC: "Calling with POST").
 *
 * @throws ApiError 415 PGRST107 for another media type, 400 PGRST102 for a body that is not what it claims to be
 */
export async function readBody(request: Request): Promise<Arguments> {
  const mediaType = (request.headers.get("content-type") || "application/json").split(";", 1)[0]!;
  const bytes = new Uint8Array(await request.arrayBuffer());
  switch (mediaType.trim().toLowerCase()) {
    case "application/json":
      return fromJson(decode(bytes) || "{}");
    case "application/x-www-form-urlencoded":
      return fromTexts([...new URLSearchParams(decode(bytes))]);
    case "text/plain":
      return { kind: "text", names: [], body: decode(bytes) };
    case "application/octet-stream":
      return { kind: "bytea", names: [], body: bytes };
  }
  throw new ApiError(415, "PGRST107", `Content-Type not acceptable: ${mediaType}`);
}

/** Takes arguments from a query string or a form; the last of a repeated name counts. */
export function fromTexts(pairs: [string, string][]): Arguments {
  const texts = new Map(pairs);
  return { kind: "texts", names: [...texts.keys()], texts };
}

/** Of a list PostgREST takes the first object; what is no object names no arguments. */
function fromJson(body: string): Arguments {
  const value = parse(body);
  const isList = Array.isArray(value);
  const object = isList ? value[0] : value;
  const names = typeof object === "object" ? Object.keys(object ?? {}) : [];
  return { kind: "json", names, body, isList };
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
