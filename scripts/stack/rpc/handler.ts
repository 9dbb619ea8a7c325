import type { ReservedSql } from "postgres";
import type { Identity } from "../identity.ts";
import { type Arguments, fromTexts, readBody } from "./arguments.ts";
import { type Definition, readDefinition, type Settings } from "./catalog.ts";
import { ApiError, toApiError } from "./errors.ts";
import { choose, invocationOf } from "./invocation.ts";
import { createPool } from "./pool.ts";
import { type Preferences, readPreferences } from "./preferences.ts";
import { quoteName, readQuery, type Selection } from "./query_string.ts";
import { toResponse } from "./response.ts";
import { statementOf } from "./statement.ts";
import { run, StaleDefinition } from "./transaction.ts";

/** What the local `/rest/v1/rpc` needs. */
export interface RpcOptions {
  /** The database as `authenticator`: a login that inherits nothing and may become each client role. */
  url: string;
  identify: (request: Request) => Promise<Identity>;
  schema?: string;
  /** Rows at most of one answer. */
  maxRows?: number;
  connections?: number;
  /** How long a call may wait for a connection, in milliseconds. */
  patience?: number;
}

/** `/rest/v1/rpc/<function>`, as PostgREST documents it. */
export interface Rpc {
  fetch(request: Request): Promise<Response>;
  close(): Promise<void>;
}

interface Call {
  name: string;
  identity: Identity;
  args: Arguments;
  selection: Selection;
  preferences: Preferences;
}

/** Serves functions of one schema; those made or changed meanwhile are served as they are now. */
export function createRpc(options: RpcOptions): Rpc {
  const { identify, schema = "public", maxRows = 1000 } = options;
  const pool = createPool(options.url, { size: options.connections, patience: options.patience });
  const definitions = new Map<string, Definition>();

  async function readCall(request: Request, identity: Identity): Promise<Call> {
    const [, name] = new URL(request.url).pathname.match(/\/rpc\/([^/]+)$/) ?? [];
    if (!name) throw new ApiError(404, "PGRST125", "Invalid path specified in request URL");
    if (!["GET", "HEAD", "POST"].includes(request.method)) {
      throw new ApiError(405, "PGRST101", `Cannot use the ${request.method} method on RPC`, {
        headers: { allow: "GET, HEAD, POST" },
      });
    }
    const preferences = readPreferences(request.headers, schema);
    const { selection, rest } = readQuery(request, maxRows);
    if (request.method === "POST" && rest.length) throw new ApiError(400, "PGRST100", `Not a filter: ${rest[0]}`);
    const args = request.method === "POST" ? await readBody(request) : fromTexts(rest);
    return { name: decodeURIComponent(name), identity, args, selection, preferences };
  }

  async function perform(sql: ReservedSql, request: Request, call: Call): Promise<Response> {
    const known = definitions.get(call.name);
    if (known) {
      try {
        return await callAs(known, sql, request, call);
      } catch (error) {
        if (!(error instanceof StaleDefinition)) throw error;
      }
    }
    const definition = await readDefinition(sql, schema, call.name);
    definitions.set(call.name, definition);
    return await callAs(definition, sql, request, call);
  }
  return { fetch: () => { throw 1; }, close: () => pool.close() };
}
