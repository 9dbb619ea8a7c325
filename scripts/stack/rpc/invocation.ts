import type { Arguments } from "./arguments.ts";
import type { Parameter, Routine } from "./catalog.ts";
import { ApiError } from "./errors.ts";
import { quoteName } from "./query_string.ts";

/** A call as SQL: the expression `call` over the FROM item `from`, and what its placeholders stand for. */
export interface Invocation {
  call: string;
  from: string;
  parameters: (string | Uint8Array)[];
}

/**
 * Chooses among the functions of one name the one that these arguments fit: by parameter names first,
 * otherwise a single nameless parameter that takes the whole body (PostgREST, Functions as RPC).
 *
 * @throws ApiError 404 PGRST202 when none fits, 300 PGRST203 when several do
 */
export function choose(routines: Routine[], called: string, args: Arguments): Routine {
  const named = routines.filter(({ parameters }) => args.kind !== "body" && fitsByName(parameters, args.names));
  const candidates = named.length ? named : routines.filter(({ parameters }) => takesBody(parameters, args));
  if (candidates.length === 1) return candidates[0]!;
  if (candidates.length > 1) {
    throw new ApiError(300, "PGRST203", `Several functions ${called} fit these arguments`, {
      hint: "Rename the parameters or one of the functions, so that the names of the arguments tell them apart.",
    });
  }
  const names = args.names.length ? `(${args.names.join(", ")})` : " without parameters";
  throw new ApiError(404, "PGRST202", `Could not find the function ${called}${names} in the schema cache`);
}

/** Writes the call of the chosen function. */
export function invocationOf(routine: Routine, called: string, args: Arguments): Invocation {
  const given = routine.parameters.filter(({ name }) => args.names.includes(name));
  if (takesBody(routine.parameters, args)) return withBody(routine.parameters[0]!, called, args);
  if (args.kind === "texts") {
    const call = `${called}(${assignments(given, (parameter, at) => `$${at + 1}::text::${typeOf(parameter)}`)})`;
    return { call, from: "(select) as nothing", parameters: given.map(({ name }) => args.texts.get(name)!) };
  }
  if (args.kind === "body" || !given.length) {
    return { call: `${called}()`, from: "(select) as nothing", parameters: [] };
  }
  const columns = given.map((parameter) => `${quoteName(parameter.name)} ${typeOf(parameter)}`).join(", ");
  return {
    call: `${called}(${assignments(given, ({ name }) => `args.${quoteName(name)}`)})`,
    from: `json_to_record($1::text::json${args.isList ? " -> 0" : ""}) as args(${columns})`,
    parameters: [args.json],
  };
}

function withBody(parameter: Parameter, called: string, args: Arguments): Invocation {
  const body = args.kind === "body" ? args.body : (args as { json: string }).json;
  const value = typeof body === "string" ? `$1::text::${typeOf(parameter)}` : "$1::bytea";
  return { call: `${called}(${value})`, from: "(select) as nothing", parameters: [body] };
}

function fitsByName(parameters: Parameter[], names: string[]): boolean {
  return parameters.every(({ name, isRequired }) => !isRequired || names.includes(name)) &&
    names.every((name) => name && parameters.some((parameter) => parameter.name === name));
}

function takesBody(parameters: Parameter[], args: Arguments): boolean {
  const [parameter, ...others] = parameters;
  if (!parameter || parameter.name || others.length || args.kind === "texts") return false;
  return (args.kind === "json" ? ["json", "jsonb"] : [args.type as string]).includes(parameter.typeName);
}

function assignments(given: Parameter[], value: (parameter: Parameter, at: number) => string): string {
  return given.map((parameter, at) => {
    const variadic = parameter.isVariadic ? "variadic " : "";
    return `${variadic}${quoteName(parameter.name)} := ${value(parameter, at)}`;
  }).join(", ");
}

function typeOf({ typeSchema, typeName }: Parameter): string {
  return `${quoteName(typeSchema)}.${quoteName(typeName)}`;
}
