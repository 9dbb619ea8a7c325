import type { Call } from "./call.ts";
import type { Routine, Settings } from "./catalog.ts";
import { quoteName } from "./query_string.ts";

/**
 * What holds for one call's transaction (PostgREST, Transactions: "Transaction-Scoped Settings"), in the order of
 * setting: a role's own settings before the role is taken, a function's over everything.
 */
export function settingsOf(call: Call, schema: string, routine: Routine, ofRole: Settings = {}): Settings {
  const { request: { headers, method, url }, identity: { role, claims } } = call;
  return {
    search_path: `${quoteName(schema)}, extensions`,
    ...ofRole,
    role,
    "request.jwt.claims": JSON.stringify(claims),
    "request.method": method,
    // The platform's gateway strips what stands before.
    "request.path": new URL(url).pathname.replace(/^\/rest\/v1/, ""),
    "request.headers": JSON.stringify(Object.fromEntries(headers)),
    "request.cookies": JSON.stringify(cookiesOf(headers)),
    ...routine.settings,
  };
}

function cookiesOf(headers: Headers): Record<string, string> {
  const pairs = headers.get("cookie")?.split(";").map((pair) => pair.trim().split(/=(.*)/s)) ?? [];
  return Object.fromEntries(pairs.map(([name = "", value = ""]) => [name, value]));
}
