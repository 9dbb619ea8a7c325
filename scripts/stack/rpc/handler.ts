import type { ReservedSql } from "postgres";
import type { Identity } from "../identity.ts";
import { type Call, readCall } from "./call.ts";
import { type Definition, readDefinition } from "./catalog.ts";
import { ApiError, toApiError } from "./errors.ts";
import { choose, invocationOf } from "./invocation.ts";
import { createPool } from "./pool.ts";
import { quoteName } from "./query_string.ts";
import { toResponse } from "./response.ts";
import { settingsOf } from "./settings.ts";
import { statementOf } from "./statement.ts";
import { run } from "./transaction.ts";

/** What the local `/rest/v1/rpc` works with. */
export interface RpcOptions {
  /** The database as `authenticator`: a login that inherits nothing and may become each client role. */
  url: string;
  identify: (request: Request) => Promise<Identity>;
  schema?: string;
  /** Rows at most in one answer. */
  maxRows?: number;
  connections?: number;
  /** How long a call may wait for a connection, in milliseconds. */
  patience?: number;
}

/** `/rest/v1/rpc/<function>` as PostgREST documents it. */
export interface Rpc {
  fetch(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/** Serves the functions of one schema, each as it is at the moment of the call. */
export function createRpc(options: RpcOptions): Rpc {
  const { identify, schema = "public", maxRows = 1000 } = options;
  const pool = createPool(options.url, { size: options.connections, patience: options.patience });
  const definitions = new Map<string, Definition>();

  async function answer(sql: ReservedSql, call: Call): Promise<Response> {
    if (call.request.signal.aborted) throw new ApiError(500, "57014", "The caller has gone");
    const known = definitions.get(call.name);
    if (known) {
      try {
        return await perform(sql, call, known);
      } catch (error) {
        if (!isOutdated(error)) throw error;
      }
    }
    const definition = await readDefinition(sql, schema, call.name);
    if (definition.routines.length) definitions.set(call.name, definition);
    return await perform(sql, call, definition);
  }

  async function perform(sql: ReservedSql, call: Call, definition: Definition): Promise<Response> {
    const { request, identity: { role }, name, args, selection, preferences } = call;
    const routine = choose(definition.routines, `${schema}.${name}`, args);
    const invocation = invocationOf(routine, `${quoteName(schema)}.${quoteName(name)}`, args);
    const result = await run(sql, {
      schema,
      name,
      fingerprint: definition.fingerprint,
      isReadOnly: request.method !== "POST" || !routine.isVolatile,
      settings: settingsOf(call, schema, routine, definition.roleSettings[role]),
      text: statementOf(routine, invocation, selection, preferences, role),
      parameters: [...invocation.parameters, selection.limit, selection.offset],
      isPrepared: !selection.isParticular,
      isSingular: preferences.isSingular,
    }, request.signal);
    return toResponse(request.method, routine.isVoid, result, selection.offset, preferences);
  }

  return {
    async fetch(request) {
      let role: Identity["role"] | undefined;
      try {
        const identity = await identify(request);
        role = identity.role;
        const call = await readCall(request, identity, { schema, maxRows });
        return await pool.use((sql) => answer(sql, call));
      } catch (error) {
        return toApiError(error, role).toResponse();
      }
    },
    close: () => pool.close(),
  };
}

/** Whether what was known of a function may be what went wrong. */
function isOutdated(error: unknown): boolean {
  return error instanceof ApiError && ["PGRST002", "PGRST202", "PGRST203"].includes(error.code);
}
