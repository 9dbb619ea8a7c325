import type { Context } from "hono";
import type { StatusCode } from "hono/utils/http-status";
import type { RequestTrace } from "../trace.ts";
import type { Caller } from "./caller.ts";
import { callHeaders, rpcUrl } from "./client.ts";
import type { Database } from "./database.types.ts";
import { forwardedHeaders, problemOf } from "./refusal.ts";
import { send } from "./transport.ts";

/** A schema as `supabase gen types` describes it, as far as calls need it. */
export interface CallableSchema {
  public: { Functions: Record<string, { Args: unknown; Returns: unknown }> };
}
/** The functions that may be called by name. */
export type FunctionName<Db extends CallableSchema = Database> = keyof Db["public"]["Functions"] & string;
/** What a function returns, as JSON. */
export type Returns<Name extends FunctionName<Db>, Db extends CallableSchema = Database> =
  Db["public"]["Functions"][Name]["Returns"];
/** A function's named arguments. */
export type Arguments<Name extends FunctionName<Db>, Db extends CallableSchema = Database> =
  Db["public"]["Functions"][Name]["Args"];
/** `Given`, refused when it carries a name that `Expected` has not: also when it was spread into the call. */
export type Exactly<Expected, Given> = Given & { [Name in Exclude<keyof Given, keyof Expected>]: never };

/** How one call differs from the others. */
export interface CallOptions {
  /** The piece of business that a stored row belongs to, where it is not the request's own. */
  correlationId?: string;
  /** Milliseconds until the call is given up; by default 9,000. */
  deadlineMs?: number;
}

/**
 * Calls a SQL function with named arguments, with the rights of the caller (see `Caller`), and returns its result.
 *
 * A refusal is thrown as the `Problem` that the client gets; so is a stored problem that a replay returns. Headers that
 * SQL sets (`Idempotent-Replayed`, `Retry-After` ...) reach the answer by themselves, and so does a status other than
 * 200 and 204, unless the route names one.
 *
 * @throws service_unavailable (503, Retry-After), database_timeout (504), or the function's own refusal
 */
export async function rpc<Name extends FunctionName, Given extends Arguments<Name>>(
  c: Context,
  name: Name,
  args: Exactly<Arguments<Name>, Given>,
  options?: CallOptions,
): Promise<Returns<Name>> {
  const { response, text } = await call(c, name, args, options);
  for (const [header, value] of Object.entries(forwardedHeaders(response))) c.header(header, value);
  if (response.status > 200 && response.status !== 204) c.status(response.status as StatusCode);
  return JSON.parse(text || "null");
}

/** Like {@link rpc}, but answers the request with the function's JSON and status as they are: nothing is parsed. */
export async function rpcResponse<Name extends FunctionName, Given extends Arguments<Name>>(
  c: Context,
  name: Name,
  args: Exactly<Arguments<Name>, Given>,
  options?: CallOptions,
): Promise<Response> {
  const { response, text } = await call(c, name, args, options);
  const headers = forwardedHeaders(response);
  if (text === "") return c.body(null, 204, headers);
  return c.body(text, response.status as 200, { ...headers, "content-type": "application/json" });
}

async function call(
  c: Context,
  name: string,
  args: unknown,
  { correlationId, deadlineMs }: CallOptions = {},
): Promise<{ response: Response; text: string }> {
  const request = { method: "POST", headers: callHeaders(c, correlationId), body: JSON.stringify(args) };
  const { response, text } = await timed(c.get("trace"), () => send(rpcUrl(name), request, deadlineMs));
  if (response.ok) return { response, text };
  throw problemOf(response, text, { ownKey: usesOwnKey(c.get("caller")) });
}

async function timed<Result>(trace: RequestTrace, work: () => Promise<Result>): Promise<Result> {
  const startedAt = performance.now();
  try {
    return await work();
  } finally {
    trace.addDatabaseTime(performance.now() - startedAt);
  }
}

function usesOwnKey(caller: Caller | undefined): boolean {
  return caller?.mode === "secret" || caller?.mode === "verified";
}
