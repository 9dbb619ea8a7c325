import { ApiError } from "./errors.ts";

/** What the caller asked for beside the call itself. */
export interface Preferences {
  /** One bare object instead of a list, or nothing. */
  isSingular: boolean;
  isCounted: boolean;
  /** Echoed as `Preference-Applied`. */
  applied: string;
}

export const JSON_TYPE = "application/json";
export const OBJECT_TYPE = "application/vnd.pgrst.object+json";

const UNDERSTOOD =
  /^(handling=(strict|lenient)|count=(exact|planned|estimated)|return=(minimal|headers-only|representation)|resolution=(merge|ignore)-duplicates|missing=(default|null)|tx=(commit|rollback))$/;
const APPLIED = /^(handling|count)=/;

/**
 * Reads `Prefer`, `Accept` and the profile headers.
 *
 * A planned or estimated count is answered exactly. `return` is for writes to tables and changes nothing here;
 * `params=single-object` went with PostgREST 13, so it is an unknown preference like any other.
 *
 * @throws ApiError 400 PGRST122 for an unknown preference with `handling=strict`, 406 PGRST107 when no media type fits,
 *   406 PGRST106 for another schema
 */
export function readPreferences(headers: Headers, schema: string): Preferences {
  const profile = headers.get("content-profile") ?? headers.get("accept-profile") ?? schema;
  if (profile !== schema) throw new ApiError(406, "PGRST106", `Invalid schema: ${profile}`);
  const preferences = (headers.get("prefer") ?? "").split(",").map((item) => item.trim()).filter(Boolean);
  const unknown = preferences.filter((item) => !UNDERSTOOD.test(item));
  if (unknown.length && preferences.includes("handling=strict")) {
    throw new ApiError(400, "PGRST122", "Invalid preferences given with handling=strict", {
      details: `Invalid preferences: ${unknown.join(", ")}`,
    });
  }
  return {
    isSingular: accepted(headers) === OBJECT_TYPE,
    isCounted: preferences.some((item) => item.startsWith("count=") && !unknown.includes(item)),
    applied: preferences.filter((item) => APPLIED.test(item) && !unknown.includes(item)).join(", "),
  };
}

function accepted(headers: Headers): string {
  const wanted = (headers.get("accept") || "*/*").split(",").map((item) => item.trim().toLowerCase());
  for (const item of wanted) {
    if (/^(\*\/\*|application\/(\*|json))\s*(;|$)/.test(item)) return JSON_TYPE;
    if (/^application\/vnd\.pgrst\.object(\+json)?$/.test(item)) return OBJECT_TYPE;
  }
  throw new ApiError(406, "PGRST107", `None of these media types are available: ${wanted.join(", ")}`);
}
