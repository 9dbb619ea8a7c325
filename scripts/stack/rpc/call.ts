import type { Identity } from "../identity.ts";
import { type Arguments, fromTexts, readBody } from "./arguments.ts";
import { ApiError } from "./errors.ts";
import { type Preferences, readPreferences } from "./preferences.ts";
import { readQuery, type Selection } from "./query_string.ts";

/** All that a request says. */
export interface Call {
  request: Request;
  identity: Identity;
  /** The function's, without its schema. */
  name: string;
  args: Arguments;
  selection: Selection;
  preferences: Preferences;
}

/**
 * Reads a request to its end, before a connection is taken for it.
 *
 * @throws ApiError 404 PGRST125 for another path, 405 PGRST101 for another method, and what the parts refuse
 */
export async function readCall(
  request: Request,
  identity: Identity,
  { schema, maxRows }: { schema: string; maxRows: number },
): Promise<Call> {
  const name = nameOf(request.url);
  if (!["GET", "HEAD", "POST"].includes(request.method)) {
    throw new ApiError(405, "PGRST101", `Cannot use the ${request.method} method on RPC`, {
      headers: { allow: "GET, HEAD, POST" },
    });
  }
  const preferences = readPreferences(request.headers, schema);
  const { selection, rest } = readQuery(request, maxRows);
  const args = request.method === "POST" ? await readBody(request) : fromTexts(rest);
  return { request, identity, name, args, selection, preferences };
}

function nameOf(url: string): string {
  try {
    return decodeURIComponent(new URL(url).pathname.match(/\/rpc\/([^/]+)$/)![1]!);
  } catch {
    throw new ApiError(404, "PGRST125", "Invalid path specified in request URL");
  }
}
