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
  const named = routines.filter(({ parameters }) => fitsByName(parameters, args));
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
export function invocationOf({ parameters }: Routine, called: string, args: Arguments): Invocation {
  const given = parameters.filter(({ name }) => args.names.includes(name));
  if (args.kind === "texts") {
    const call = `${called}(${assignments(given, (parameter, at) => `$${at + 1}::text::${typeOf(parameter)}`)})`;
    return { call, from: NOTHING, parameters: given.map(({ name }) => args.texts.get(name)!) };
  }
  if (takesBody(parameters, args)) {
    const value = typeof args.body === "string" ? `$1::text::${typeOf(parameters[0]!)}` : "$1::bytea";
    return { call: `${called}(${value})`, from: NOTHING, parameters: [args.body] };
  }
  if (!given.length) return { call: `${called}()`, from: NOTHING, parameters: [] };
  const object = args.kind === "json" && args.isList ? "$1::text::json -> 0" : "$1::text::json";
  const columns = given.map((parameter) => `${quoteName(parameter.name)} ${typeOf(parameter)}`).join(", ");
  return {
    call: `${called}(${assignments(given, ({ name }) => `args.${quoteName(name)}`)})`,
    from: `json_to_record(${object}) as args(${columns})`,
    parameters: [args.body],
  };
}

const NOTHING = "(select) as nothing";

function fitsByName(parameters: Parameter[], { kind, names }: Arguments): boolean {
  return (kind === "json" || kind === "texts") &&
    parameters.every(({ name, isRequired }) => !isRequired || names.includes(name)) &&
    names.every((name) => name && parameters.some((parameter) => parameter.name === name));
}

function takesBody([parameter, ...others]: Parameter[], { kind }: Arguments): boolean {
  if (!parameter || parameter.name || others.length) return false;
  return parameter.typeName === kind || kind === "json" && parameter.typeName === "jsonb";
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
