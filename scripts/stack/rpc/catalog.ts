import type { ReservedSql } from "postgres";
import type { Identity } from "../identity.ts";

/** An input parameter; `name` is empty for one that has none. */
export interface Parameter {
  name: string;
  typeSchema: string;
  typeName: string;
  isRequired: boolean;
  isVariadic: boolean;
}

/** A function as a caller sees it. */
export interface Routine {
  parameters: Parameter[];
  isVolatile: boolean;
  isSet: boolean;
  isVoid: boolean;
  /** Whether a result is an object: a composite type, `returns table` or output parameters. */
  isComposite: boolean;
  settings: Settings;
}

/** Names and values of configuration parameters. */
export type Settings = Record<string, string>;

/** Every function of one name, the settings of the client roles, and a mark that changes whenever either does. */
export interface Definition {
  routines: Routine[];
  roleSettings: Partial<Record<Identity["role"], Settings>>;
  fingerprint: string;
}

/** The mark of a {@link Definition}, given expressions for the schema and the name: every change of a catalog row changes its xmin. */
export function fingerprint(schema: string, name: string): string {
  return `pg_catalog.concat(
    (select pg_catalog.string_agg(pg_catalog.concat(p.oid, ':', p.xmin), ',' order by p.oid) from pg_catalog.pg_proc as p
      where p.proname = ${name} and p.pronamespace = ${schema}::regnamespace),
    (select pg_catalog.string_agg(pg_catalog.concat('/', s.xmin), ',' order by s.setdatabase, s.setrole)
      from pg_catalog.pg_db_role_setting as s))`;
}

// Which settings of a function hold for the whole transaction: PostgREST, Configuration: "db-hoisted-tx-settings".
const HOISTED = "statement_timeout|plan_filter\\.statement_cost_limit|default_transaction_isolation";

const DEFINITION = `
with routine as (
  select p.*, coalesce(nullif(t.typbasetype, 0), t.oid) as result_type,
    p.proargmodes && '{o,b,t}' as has_output
  from pg_catalog.pg_proc as p
  join pg_catalog.pg_type as t on t.oid = p.prorettype
  where p.proname = $2 and p.pronamespace = $1::regnamespace and p.prokind = 'f'
    and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
)
select json_build_object(
  'fingerprint', ${fingerprint("$1", "$2")},
  'routines', coalesce(json_agg(json_build_object(
    'parameters', (
      select coalesce(json_agg(json_build_object(
        'name', coalesce(argument.name, ''),
        'typeSchema', n.nspname,
        'typeName', t.typname,
        'isRequired', argument.number <= routine.pronargs - routine.pronargdefaults,
        'isVariadic', argument.mode = 'v'
      ) order by argument.number), '[]')
      from (
        select a.name, a.type, a.mode, pg_catalog.row_number() over (order by a.position) as number
        from unnest(
          coalesce(routine.proallargtypes, routine.proargtypes::oid[]), routine.proargnames, routine.proargmodes
        ) with ordinality as a(type, name, mode, position)
        where coalesce(a.mode, 'i') in ('i', 'b', 'v')
      ) as argument
      join pg_catalog.pg_type as t on t.oid = argument.type
      join pg_catalog.pg_namespace as n on n.oid = t.typnamespace
    ),
    'isVolatile', routine.provolatile = 'v',
    'isSet', routine.proretset,
    'isVoid', routine.prorettype = 'void'::regtype,
    'isComposite', coalesce(routine.has_output, false)
      or exists (select from pg_catalog.pg_type as t where t.oid = routine.result_type and t.typtype = 'c'),
    'settings', (
      select coalesce(json_object_agg(pair[1], pair[2]), '{}')
      from unnest(routine.proconfig) as setting, regexp_match(setting, '^(${HOISTED})=(.*)$') as pair
      where pair is not null
    )
  )), '[]'),
  'roleSettings', (
    select coalesce(json_object_agg(configured.rolname, configured.settings), '{}')
    from (
      select r.rolname, json_object_agg(g.name, pair[2] order by s.setdatabase) as settings
      from pg_catalog.pg_db_role_setting as s
      join pg_catalog.pg_roles as r on r.oid = s.setrole,
        unnest(s.setconfig) as setting, regexp_match(setting, '^([^=]+)=(.*)$') as pair
      join pg_catalog.pg_settings as g on g.name = pair[1]
      where r.rolname in ('anon', 'authenticated', 'service_role')
        and s.setdatabase in (0, (select d.oid from pg_catalog.pg_database as d where d.datname = current_database()))
        and (g.context = 'user' or pg_catalog.has_parameter_privilege(g.name, 'set'))
      group by r.rolname
    ) as configured
  )
)::text as definition
from routine`;

/** Reads what there is to know before functions of this name can be called. */
export async function readDefinition(sql: ReservedSql, schema: string, name: string): Promise<Definition> {
  const [row] = await sql.unsafe<[{ definition: string }]>(DEFINITION, [schema, name], { prepare: true });
  return JSON.parse(row.definition);
}
