import type { Routine } from "./catalog.ts";
import type { Invocation } from "./invocation.ts";
import type { Preferences } from "./preferences.ts";
import type { Selection } from "./query_string.ts";

/**
 * Writes the statement that calls and answers in JSON: body, rows, rows without limit, and the response settings,
 * which are read after the aggregates, so after the call.
 *
 * @param role - the text ends with it: a plan inlines what one role may call, and must not serve another
 */
export function statementOf(
  routine: Routine,
  { call, from, parameters }: Invocation,
  { select, where, order }: Selection,
  { isSingular, isCounted }: Preferences,
  role: string,
): string {
  const source = routine.isComposite
    ? `select result.* from ${from}, lateral ${call} as result`
    : `select ${call} as value from ${from}`;
  const row = routine.isComposite ? "page.*" : "page.value";
  const body = routine.isSet && !isSingular
    ? `coalesce(json_agg(${row})::text, '[]')`
    : `coalesce(string_agg(to_json(${row})::text, ''), 'null')`;
  const total = isCounted ? `(select count(*) from source${where})` : "null";
  const at = parameters.length;
  return `with source as (${source}),
page as (select ${select} from source${where}${order} limit $${at + 1}::bigint offset $${at + 2}::bigint)
select ${body}, count(*), ${total},
  nullif(pg_catalog.current_setting('response.status', true), ''),
  nullif(pg_catalog.current_setting('response.headers', true), '')
from page -- as ${role}`;
}
